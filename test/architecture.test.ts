import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

/**
 * What each part may import: a part is a folder of `src`, or a file that lies in `src` itself. `part/file.ts` permits
 * that one file, and `type` before it only its types.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // Words without meaning of ours. They stand on nothing.
  wire: [],
  peer: [],
  'clock.ts': [],
  'random.ts': [],
  'recent-map.ts': [],
  'log-text.ts': [],
  'nearest.ts': [],

  registry: ['peer', 'recent-map.ts'],
  policy: ['peer', 'registry', 'random.ts', 'recent-map.ts'],
  store: ['peer', 'registry', 'clock.ts'],
  'listing.ts': ['peer', 'policy', 'registry', 'clock.ts', 'random.ts'],
  'table-change.ts': ['peer', 'registry', 'store/store.ts', 'clock.ts'],
  'rendezvous-point.ts': [
    ...['listing.ts', 'table-change.ts', 'recent-map.ts'],
    ...['peer', 'policy', 'registry', 'store/store.ts', 'clock.ts', 'random.ts'],
  ],
  // The use cases of the rendezvous protocol's signed records, and of the original's clients: each on the point or beside it.
  'rendezvous-records.ts': ['type rendezvous-point.ts', 'peer', 'policy', 'registry', 'clock.ts'],
  'record-learner.ts': ['type rendezvous-records.ts', 'peer', 'registry', 'clock.ts', 'recent-map.ts'],
  'legacy-peers.ts': ['peer', 'policy', 'registry', 'store/store.ts', 'clock.ts'],
  'prober.ts': ['type rendezvous-point.ts', 'peer', 'policy', 'registry', 'clock.ts', 'random.ts'],
  'proof-schedule.ts': [
    'type rendezvous-point.ts',
    'type prober.ts',
    'peer',
    'policy',
    'registry',
    'clock.ts',
    'random.ts',
  ],
  frontends: [
    ...['wire', 'peer', 'policy', 'type registry', 'store/store.ts', 'clock.ts', 'type random.ts'],
    ...['type rendezvous-point.ts', 'type rendezvous-records.ts', 'type legacy-peers.ts', 'recent-map.ts'],
  ],
  host: ['peer', 'policy', 'type prober.ts'],
  client: ['wire', 'peer', 'clock.ts', 'random.ts'],

  'rendezvous-service.ts': [
    ...['wire', 'peer', 'registry', 'policy', 'frontends', 'host', 'clock.ts', 'random.ts'],
    ...['type rendezvous-point.ts', 'rendezvous-records.ts', 'record-learner.ts'],
  ],
  'service-init.ts': ['type rendezvous-service.ts', 'host/switches.ts', 'store/store.ts', 'clock.ts', 'random.ts'],
  'service.ts': [
    'service-init.ts',
    ...['rendezvous-service.ts', 'legacy-peers.ts'],
    ...['wire', 'peer', 'registry', 'policy', 'store', 'frontends', 'host', 'clock.ts', 'random.ts'],
    ...['rendezvous-point.ts', 'prober.ts', 'proof-schedule.ts'],
  ],
  'node.ts': ['service.ts', 'service-init.ts', 'host', 'peer', 'type store/store.ts'],
  'index.ts': ['node.ts', 'service.ts', 'service-init.ts', 'host', 'store', 'wire'],

  'identity-formats.ts': [],
  'identity.ts': ['identity-formats.ts'],
  'config-values.ts': ['peer', 'policy/access-list.ts'],
  'config.ts': ['config-values.ts', 'host/switches.ts'],
  'config-sources.ts': ['config.ts', 'log-text.ts', 'nearest.ts'],
  cli: [
    ...['node.ts', 'client', 'wire', 'identity.ts', 'identity-formats.ts', 'config.ts', 'config-sources.ts'],
    ...['log-text.ts', 'nearest.ts', 'type store/store.ts'],
  ],
}

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))

interface Import {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

describe('imports', () => {
  const files = globSync('**/*.ts', { cwd: SOURCE })
  const imports = files.flatMap((file) => importsOf(file, readFileSync(join(SOURCE, file), 'utf8')))

  it('are seen: every file that another one needs is named by somebody', () => {
    assert.ok(files.length > 40)
    assert.ok(imports.length > files.length)
  })

  it('are ruled for every part', () => {
    assert.deepEqual(new Set(Object.keys(MAY_IMPORT)), new Set(files.map(partOf)))
  })

  it('go one way', () => {
    assert.deepEqual(imports.filter((each) => !isPermitted(each)).map(textOf), [])
  })

  it('never lead from one frontend to another', () => {
    const crossing = imports.filter(
      ({ from, to }) =>
        partOf(from) === 'frontends' && partOf(to) === 'frontends' && frontendOf(from) !== frontendOf(to),
    )
    assert.deepEqual(crossing.map(textOf), [])
  })

  it('never lead in a circle, types aside', () => {
    const circle = findCircle(imports.filter(({ isType }) => !isType))
    assert.equal(circle?.join(' → '), undefined)
  })
})

describe('the reader of imports', () => {
  it('finds them in every form', () => {
    const source = `
      import a, { type B } from '../peer/ip.ts'
      import type { C } from './one.ts'
      import { type D } from './two.ts'
      import './three.ts'
      export {
        f,
      } from './four.ts'
      export type * from './five.ts'
      const g = await import('./six.ts')
      import { h } from 'node:fs'
      type I = import('./seven.ts').I`
    assert.deepEqual(
      importsOf('policy/x.ts', source)
        .map(({ to, isType }) => `${isType ? 'type ' : ''}${to}`)
        .sort(),
      // A clause of nothing but types in braces is loaded all the same.
      [
        'peer/ip.ts',
        'policy/four.ts',
        'policy/seven.ts',
        'policy/six.ts',
        'policy/three.ts',
        'policy/two.ts',
        'type policy/five.ts',
        'type policy/one.ts',
      ],
    )
  })
})

function importsOf(from: string, source: string): Import[] {
  const statements = source.matchAll(/^\s*(?:import|export)\b([^'"`;()]*?)['"](\.[^'"]+)['"]/gm)
  const calls = source.matchAll(/\bimport\(\s*['"](\.[^'"]+)['"]/g)
  return [
    ...Array.from(statements, ([, clause, path]) => ({ clause: clause!, path: path! })),
    ...Array.from(calls, ([, path]) => ({ clause: '', path: path! })),
  ].map(({ clause, path }) => ({
    from,
    to: normalize(join(dirname(from), path)),
    isType: /^\s*type\s+[{*\w]/.test(clause),
  }))
}

function isPermitted({ from, to, isType }: Import): boolean {
  const part = partOf(from)
  const permitted = MAY_IMPORT[part] ?? []
  return [partOf(to), to].some(
    (target) => target === part || permitted.includes(target) || (isType && permitted.includes(`type ${target}`)),
  )
}

function partOf(file: string): string {
  return file.split('/')[0]!
}

/** `frontends/bootstrap-answer.ts` belongs to `frontends/bootstrap.ts`. */
function frontendOf(file: string): string {
  return file.split('/')[1]!.split(/[-.]/)[0]!
}

function textOf({ from, to }: Import): string {
  return `${from} → ${to}`
}

function findCircle(imports: readonly Import[]): string[] | undefined {
  const targets = Map.groupBy(imports, ({ from }) => from)
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file]
    }
    if (done.has(file)) {
      return undefined
    }
    for (const { to } of targets.get(file) ?? []) {
      const circle = walk(to, [...path, file])
      if (circle !== undefined) {
        return circle
      }
    }
    done.add(file)
    return undefined
  }
  return [...targets.keys()].map((file) => walk(file, [])).find((circle) => circle !== undefined)
}
