import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyText } from '../../../src/registry/registration.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import type { EditableStore, ListEdit } from '../../../src/store/store.ts'
import { cases } from '../../support/cases.ts'
import { HOUR, NOW, put, record, remove, type TestTable, testTable } from '../fixtures.ts'
import { fakeDisk } from './fake-disk.ts'

const PATH = '/d/peers.json'

const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('register' as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      /** `torn` is cut in the middle of a byte, `short` in the middle of the list, `stale` is what was written before. */
      what: fc.constantFrom('torn', 'torn', 'short', 'short', 'stale', 'empty', 'nothing', 'gone'),
      part: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('save' as const),
      /** The operator deletes each line whose number leaves the second when it is divided by the first. */
      deleted: fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 30 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('signal' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('signal twice' as const), apart: fc.constantFrom(0, 4999, 5000, 60_001) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 1000, 4999, 5000, 5000, 30_000, 60_000, 60_001),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), acceptEdit: fc.boolean() }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

test('no sequence of edits, torn files, signals and restarts loses registrations unless it was confirmed', {
  timeout: 120_000,
}, async () => {
  const seen = { refused: 0, confirmed: 0, found: 0, accepted: 0, restarts: 0, deleted: 0, kept: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      const world = await newWorld(seen)
      await world.run({ kind: 'register', count: 25 })
      await world.run({ kind: 'snapshot' })
      for (const each of commands) {
        await world.run(each)
      }
      await world.run({ kind: 'restart', acceptEdit: false })
    }),
    { numRuns: cases(400, 2000) },
  )
  for (const [what, times] of Object.entries(seen)) {
    assert(times > 0, `never ${what}`)
  }
})

type Seen = Record<'refused' | 'confirmed' | 'found' | 'accepted' | 'restarts' | 'deleted' | 'kept', number>

async function newWorld(seen: Seen) {
  const disk = fakeDisk()
  let now = NOW
  let counter = 0
  let process = disk.process()
  let store: EditableStore
  let table: TestTable = testTable()
  /** What was answered, and did not go by a rule; what came in by an edit was not answered. */
  const answered = new Set<string>()
  /** All lists that the store wrote: what stands in none of them can't have been deleted in one. */
  const written: string[] = []
  /** What the operator has open in an editor. */
  let opened: string | undefined
  /** The keys in the lists that a content is an edit of. What stood in none of them can't have been deleted in it. */
  const bases = new Map<string, Set<string>>()
  /** What was signalled, since another content was. */
  let signals: Array<{ readonly content: string | undefined; readonly at: number }> = []
  await open(false)

  async function open(acceptEdit: boolean): Promise<void> {
    const onEdit = (edit: ListEdit) => {
      seen.found += edit.outcome === 'refused' && edit.confirmIn === undefined ? 1 : 0
    }
    store = fileStore({ path: PATH, clock: () => now, fs: process.fs, lock: process.lock, acceptEdit, onEdit })
    const recovered = await store.open()
    table = testTable(recovered.records, recovered.statics)
  }

  function content(): string | undefined {
    return disk.read(PATH)?.toString()
  }

  /** Runs what may take an edit in, and holds what went against the rule. */
  async function judged(task: () => Promise<unknown>, isMeant: () => boolean): Promise<void> {
    const edited = content()
    const list = keysIn(edited)
    const before = new Map(table.map)
    await task()
    const gone = [...answered].filter((key) => !table.map.has(key))
    const base = bases.get(edited ?? '')
    for (const key of gone) {
      assert(list !== undefined && !list.has(key), 'only what a whole list leaves out may go')
      answered.delete(key)
    }
    const isMost = before.size >= 20 && gone.length * 2 > before.size
    if (isMost || gone.some((key) => !base?.has(key))) {
      assert(isMeant(), `${gone.length} of ${before.size} went unconfirmed`)
    } else {
      seen.deleted += gone.length
      seen.kept += base === undefined ? 0 : [...answered].filter((key) => !list?.has(key) && !base.has(key)).length
    }
  }

  /** As the point does it: what an edit leaves out is written to the journal. */
  async function merging(task: () => Promise<unknown>): Promise<void> {
    const before = [...table.map]
    await task()
    const dropped = before.filter(([key]) => !table.map.has(key))
    await store.append(dropped.map(([, each]) => remove(each)))
  }

  async function snapshot(): Promise<void> {
    try {
      await store.compact(table)
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'EDIT')
      return
    }
    written.push(content()!)
  }

  /** The operator saves a text that was made of another. */
  function save(text: string, from: string): void {
    const base = bases.get(text) ?? new Set()
    bases.set(text, new Set([...base, ...(bases.get(from) ?? []), ...(keysIn(from) ?? [])]))
    disk.replace(PATH, text)
  }

  return { run }

  async function run(step: Command): Promise<void> {
    switch (step.kind) {
      case 'register': {
        const records = Array.from({ length: step.count }, () =>
          record(counter++, { registeredAt: now, expiresAt: now + 24 * HOUR, provedAt: 0 }),
        )
        await store.append(records.map(put))
        for (const each of records) {
          table.apply(put(each))
          answered.add(keyText(each))
        }
        return
      }
      case 'snapshot':
        now += 1
        await judged(
          () => merging(snapshot),
          () => false,
        )
        return
      case 'write': {
        if (step.what === 'gone') {
          await disk
            .process()
            .fs.unlink(PATH)
            .catch(() => {})
          return
        }
        const base = content() ?? ''
        const lines = base.split('\n')
        const texts = {
          torn: base.slice(0, Math.floor(base.length * step.part)),
          short: listOf(lines.slice(1, 1 + Math.floor(lines.length * step.part))),
          stale: written[Math.floor(written.length * step.part)] ?? '[]',
          empty: '[]',
          nothing: '',
        }
        save(texts[step.what], step.what === 'short' ? base : '')
        return
      }
      case 'open':
        opened = content()
        return
      case 'save': {
        if (keysIn(opened) !== undefined) {
          const [divisor, rest] = step.deleted
          const lines = opened!.split('\n').filter((line) => line.startsWith('{'))
          save(listOf(lines.filter((_, number) => number % divisor !== rest)), opened!)
        }
        return
      }
      case 'signal': {
        const signalled = content()
        signals = signals.filter((each) => each.content === signalled)
        const isConfirmed = signals.some(({ at }) => now - at >= 5000 && now - at <= 60_000)
        let outcome: ListEdit['outcome'] | undefined
        await judged(
          () =>
            merging(async () => {
              outcome = (await store.merge(table)).outcome
            }),
          () => {
            seen.confirmed += isConfirmed ? 1 : 0
            return isConfirmed
          },
        )
        seen.refused += outcome === 'refused' ? 1 : 0
        signals = outcome === 'taken' ? [] : [...signals, { content: signalled, at: now }]
        return
      }
      case 'signal twice':
        await run({ kind: 'signal' })
        now += step.apart
        await run({ kind: 'signal' })
        return
      case 'wait':
        now += step.ms
        return
      case 'restart':
        seen.restarts += 1
        process.kill()
        process = disk.process()
        signals = []
        await judged(
          () => open(step.acceptEdit),
          () => {
            seen.accepted += step.acceptEdit ? 1 : 0
            return step.acceptEdit
          },
        )
    }
  }
}

function listOf(lines: readonly string[]): string {
  const entries = lines.filter((line) => line.startsWith('{')).map((line) => line.replace(/,$/, ''))
  return `[\n${entries.join(',\n')}\n]\n`
}

/** The keys of the registrations in a list; undefined when it is no whole list. */
function keysIn(list: string | undefined): Set<string> | undefined {
  try {
    const entries: Array<{ address: string }> = JSON.parse(list ?? '')
    return new Set(
      entries.map(({ address }) => {
        const [where, peerId] = address.split('/p2p/')
        return keyText({ network: '', peerId: peerId!, address: where! })
      }),
    )
  } catch {
    return undefined
  }
}
