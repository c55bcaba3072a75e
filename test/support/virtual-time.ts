import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../src/base/clock.ts'

/** Time that moves when it is told to. */
export interface VirtualTime {
  readonly clock: Clock
  /** Calls back at a moment, in order. */
  at(ms: number, callback: () => void): void
  /** Resolves so many ms from now. */
  wait(ms: number): Promise<void>
  /** Moves on, and lets everything happen on the way that was to happen. */
  advanceTo(ms: number): Promise<void>
}

/** `turn` resolves when all has happened that follows without waiting for time. Default: a turn of the event loop. */
export function virtualTime(start: number, turn: () => Promise<unknown> = nextTurn): VirtualTime {
  const moments = new Map<number, Array<() => void>>()
  const heap: number[] = []
  let now = start

  function at(ms: number, callback: () => void): void {
    const moment = Math.max(now, ms)
    const callbacks = moments.get(moment)
    if (callbacks === undefined) {
      moments.set(moment, [callback])
      push(heap, moment)
    } else {
      callbacks.push(callback)
    }
  }

  return {
    clock: () => now,
    at,
    wait: (ms) => new Promise((resolve) => at(now + ms, resolve)),
    async advanceTo(ms) {
      while (heap.length > 0 && heap[0]! <= ms) {
        now = heap[0]!
        const callbacks = moments.get(now)!
        moments.delete(pop(heap))
        for (const callback of callbacks) {
          callback()
        }
        // All that follows from it without waiting for time: promises run dry before the next turn of the event loop.
        await turn()
      }
      now = ms
    },
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
