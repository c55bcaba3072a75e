/**
 * What each part of `src` may import. A part is a folder, or a file that has a row here; the longest row that fits counts,
 * so what has a row of its own is not part of the folder around it. Within a part everything may import everything. A path
 * to a file permits that file alone. The table in `docs/architecture.md` is written from this one.
 */
const ROWS = {
  // No meaning of ours. These depend on nothing.
  base: [],
  peer: [],
  identity: [],
  wire: ['peer/limits.ts'],
  streams: ['wire'],

  // The table, who may be in it and who is handed out, and where it is kept.
  registry: ['peer', 'base'],
  policy: ['registry', 'peer', 'base'],
  store: ['registry', 'peer', 'base'],
  'store/file': ['store', 'registry', 'peer', 'base'],
  'store/valkey': ['store', 'registry', 'peer', 'base'],

  // What a point offers, as plain values; the use cases behind it; the proofs that it asks for.
  'point/point-api.ts': ['policy/refusal.ts', 'peer'],
  point: ['point/point-api.ts', 'store/store.ts', 'policy', 'registry', 'peer', 'base'],
  proofs: ['point', 'policy', 'registry', 'peer', 'base'],

  // Ways in: decode, call the api, encode. Never each other.
  'frontends/exchanges': ['policy', 'streams', 'peer', 'base'],
  'frontends/legacy-tcp.ts': ['frontends/exchanges', 'point/point-api.ts', 'policy', 'peer', 'base'],
  'frontends/bootstrap': ['frontends/exchanges', 'point/point-api.ts', 'policy', 'streams', 'wire', 'peer', 'base'],
  'frontends/rendezvous': ['frontends/exchanges', 'point/point-api.ts', 'policy', 'streams', 'wire', 'peer', 'base'],
  'frontends/kad': ['frontends/exchanges', 'point/point-api.ts', 'policy', 'streams', 'wire', 'peer', 'base'],
  'frontends/autonat': ['frontends/exchanges', 'point/point-api.ts', 'policy', 'streams', 'wire', 'peer', 'base'],

  // The libp2p node around it. `proofs` declares what a dial is, the host and its transports dial.
  'host/switches.ts': [],
  'host/guard': ['host/switches.ts', 'policy', 'peer', 'base'],
  'host/patches': ['host/switches.ts'],
  'host/transports': ['host/guard', 'host/patches', 'host/switches.ts', 'proofs/dial.ts', 'policy', 'peer', 'base'],
  host: [
    ...['host/transports', 'host/guard', 'host/patches', 'host/switches.ts'],
    ...['proofs/dial.ts', 'policy', 'streams/messages.ts', 'wire/identify-message.ts', 'peer', 'base'],
  ],

  // The other side of the wire.
  client: ['streams', 'wire', 'peer', 'base'],
  'client/cache': ['client', 'peer', 'base'],
  'client/discovery': ['client/cache', 'client', 'wire', 'peer', 'base'],
  'client/keeper': ['client/cache', 'client', 'peer', 'base'],
  'client/index.ts': ['client/discovery', 'client/keeper', 'client/cache', 'client', 'wire', 'peer', 'base'],

  // More machines, more eyes.
  federation: ['client/index.ts', 'client', 'point/point-api.ts', 'peer', 'base'],
  cluster: ['point/point-api.ts', 'policy/refusal.ts', 'peer', 'base'],
  metrics: ['host/guard/guard-counters.ts', 'policy/refusal.ts', 'base'],
  admin: ['metrics', 'point/operator-list.ts', 'point/point-api.ts', 'peer', 'base'],

  // What puts the parts together, and what people start.
  service: { allBut: ['cli', 'node.ts', 'index.ts'] },
  'node.ts': ['service', 'host', 'host/guard', 'host/patches', 'host/switches.ts', 'store/store.ts', 'peer', 'base'],
  'index.ts': { allBut: ['cli'] },
  cli: [
    ...['node.ts', 'identity', 'client', 'client/discovery', 'client/keeper', 'client/cache', 'client/index.ts'],
    ...['host/switches.ts', 'policy/access-list.ts', 'peer', 'base'],
  ],
} as const satisfies Readonly<Record<string, readonly string[] | { readonly allBut: readonly string[] }>>

export type Part = keyof typeof ROWS
export const PARTS = Object.keys(ROWS) as Part[]

/** Rows of what is still to be built. One that exists by now is to be taken out of here. */
export const PLANNED: ReadonlySet<string> = new Set<Part>([
  ...(['store/valkey', 'host/transports'] as const),
  ...(['frontends/kad', 'frontends/autonat'] as const),
  ...(['federation', 'cluster', 'metrics', 'admin'] as const),
])

/**
 * Imports that break the rules today, each with what ends it. One that is gone has to be taken out of here, so the list
 * only gets shorter.
 */
export const EXCEPTIONS: Readonly<Record<string, string>> = {}

/** Imports without which `src` has no circle, as {@link EXCEPTIONS}. */
export const CIRCLES: Readonly<Record<string, string>> = {}

/** The most lines of a file of `src`; above {@link FEW_LINES} only when its first comment says why: "because". */
export const MOST_LINES = 300
export const FEW_LINES = 250

/** Files of `src` that are longer than the rule permits today, as {@link EXCEPTIONS}. */
export const LONG: Readonly<Record<string, string>> = {}

/** The part that a file of `src` belongs to; undefined when no row fits. */
export function partOf(file: string): Part | undefined {
  return PARTS.filter((part) => file === part || file.startsWith(`${part}/`)).sort((a, b) => b.length - a.length)[0]
}

/** The parts and files that a part may import, itself not named. */
export function permittedOf(part: Part): readonly string[] {
  const row: readonly string[] | { readonly allBut: readonly string[] } = ROWS[part]
  return 'allBut' in row ? PARTS.filter((each) => each !== part && !row.allBut.includes(each)) : row
}

export function isPermitted({ from, to }: { readonly from: string; readonly to: string }): boolean {
  const [own, target] = [partOf(from), partOf(to)]
  return (
    own !== undefined &&
    target !== undefined &&
    (own === target || permittedOf(own).some((each) => each === target || each === to))
  )
}

/** The rows as a table of Markdown; parts with equal rows share one. */
export function importTable(): string {
  const rows = Map.groupBy(PARTS, (part) => {
    const row: readonly string[] | { readonly allBut: readonly string[] } = ROWS[part]
    return 'allBut' in row ? `all but ${textOf(row.allBut)}` : textOf(row) || 'nothing of ours'
  })
  const lines = Array.from(rows, ([permitted, parts]) => {
    const names = parts.map((part) => `${PLANNED.has(part) ? '+ ' : ''}\`${nameOf(part)}\``)
    return `| ${names.join(', ')} | ${permitted} |`
  })
  return ['| part | may import |', '| --- | --- |', ...lines].join('\n')
}

function textOf(paths: readonly string[]): string {
  return paths.map((path) => `\`${nameOf(path)}\``).join(', ')
}

function nameOf(path: string): string {
  return path.replace(/\.ts$/, '')
}
