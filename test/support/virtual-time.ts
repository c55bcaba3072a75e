import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Scheduler } from '../../src/client/scheduler.ts'

/** Time that a test moves by hand: a clock and timers. `now` is the `Clock` of what takes one. */
export interface VirtualTime extends Scheduler {
  /** Calls back at a time, in order; at once on the next advance when that time is past. */
  at(time: number, callback: () => void): void
  /** Resolves after `ms`. */
  wait(ms: number): Promise<void>
  /** Moves on by `ms`: runs what is due in order, and what follows from it, to its end. */
  advance(ms: number): Promise<void>
  /** The same, to a time. */
  advanceTo(time: number): Promise<void>
}

/** Turns at one moment. Code that goes on beyond it would never let the time move. */
const MOST_TURNS = 10_000

/** `turn` resolves when all has happened that follows without waiting for time. Default: a turn of the event loop. */
export function virtualTime(start = 1_800_000_000_000, turn: () => Promise<unknown> = nextTurn): VirtualTime {
  const due = new Map<number, Set<() => void>>()
  const heap: number[] = []
  let now = start

  function at(time: number, callback: () => void): () => void {
    const when = Math.max(now, time)
    let tasks = due.get(when)
    if (tasks === undefined) {
      tasks = new Set()
      due.set(when, tasks)
      push(heap, when)
    }
    // A function of its own, so that the same callback can be there twice.
    const task = () => callback()
    tasks.add(task)
    return () => tasks.delete(task)
  }

  async function advanceTo(end: number): Promise<void> {
    await turn()
    let turnsOfNow = 0
    while (heap.length > 0 && heap[0]! <= end) {
      turnsOfNow = heap[0] === now ? turnsOfNow + 1 : 0
      if (turnsOfNow > MOST_TURNS) {
        throw new Error('time stands still: each timer sets another one that is due at once')
      }
      now = heap[0]!
      const tasks = due.get(now)!
      due.delete(pop(heap))
      for (const task of tasks) {
        task()
      }
      // All that follows from it without waiting for time: promises run dry before the next turn of the event loop.
      await turn()
    }
    now = Math.max(now, end)
  }

  return {
    now: () => now,
    at,
    after: (ms, task) => at(now + ms, task),
    wait: (ms) => new Promise((resolve) => at(now + ms, resolve)),
    advance: (ms) => advanceTo(now + ms),
    advanceTo,
  }
}

function push(heap: number[], value: number): void {
  let at = heap.length
  heap.push(value)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= value) {
      break
    }
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = value
}

function pop(heap: number[]): number {
  const top = heap[0]!
  const value = heap.pop()!
  const size = heap.length
  let at = 0
  while (size > 0) {
    const left = 2 * at + 1
    if (left >= size) {
      break
    }
    const child = left + 1 < size && heap[left + 1]! < heap[left]! ? left + 1 : left
    if (heap[child]! >= value) {
      break
    }
    heap[at] = heap[child]!
    at = child
  }
  if (size > 0) {
    heap[at] = value
  }
  return top
}
