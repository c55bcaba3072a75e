import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { atLeast, atMost, type Figure, quantile, shown } from '../hostile/report.ts'
import { withScope } from '../support/last-first.ts'
import { namespaceFault, spawnInNamespace } from '../support/namespace.ts'
import { startCountedBootstrap } from './counted-bootstrap.ts'
import { Crowd } from './crowd.ts'
import { askedOf, gathering, seconds } from './gathering.ts'

/** Where the bootstrap listens in the namespace. */
const BOOTSTRAP_IP = '45.1.0.1'
const MINUTE_MS = 60_000
const WITHIN_MS = 2 * MINUTE_MS
const PATIENCE_MS = 10 * MINUTE_MS
const PER_SUBNET = 10
/**
 * How many nodes of the subnets may be without their peers at a time. A node costs 0.15 s of CPU until it has them: all
 * thousand at once would be minutes of two cores, in which every deadline passes and all work is for nothing.
 */
const UNSETTLED = 50

/** A crowd at public addresses. */
export type PublicCrowd =
  /** So many subnets of /24, ten nodes in each. Each /24 is in a /16 of its own. */
  | { readonly kind: 'subnets'; readonly subnets: number }
  /** So many nodes behind one IP, started at once. */
  | { readonly kind: 'one IP'; readonly nodes: number }

/** Runs a crowd in a network namespace of its own. Where there is none this fails: what is skipped is not proved. */
export async function publicCrowd(name: string, crowd: PublicCrowd): Promise<Figure[]> {
  const fault = namespaceFault()
  if (fault !== undefined) {
    console.error(`${name}: ${fault}`)
    return [atMost(name, 'rows that could not be run', 1, 0)]
  }
  const child = spawnInNamespace([fileURLToPath(import.meta.url), name, JSON.stringify(crowd)])
  const figures: Figure[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    // What is not a number is no number in JSON either.
    figures.push(JSON.parse(line, (key, value) => (key === 'value' ? (value ?? Number.NaN) : value)))
  })
  const [code] = await once(child, 'close')
  return [...figures, atMost(name, 'rows that could not be run', code === 0 ? 0 : 1, 0)]
}

/** In the namespace. */
async function run(name: string, crowd: PublicCrowd): Promise<Figure[]> {
  return await withScope(async (scope) => {
    const bootstrap = await startCountedBootstrap(scope, BOOTSTRAP_IP)
    const { ips, unsettled, ...bounds } = crowd.kind === 'one IP' ? behindOneIp(crowd.nodes) : inSubnets(crowd.subnets)
    const began = performance.now()
    const { census, troubles } = Crowd.start(scope, { bootstraps: [bootstrap.address], ips, unsettled })
    const gathered = await gathering({ name, census, count: ips.length, ...bounds, patience: PATIENCE_MS, began })
    // The first minute of the node that was started last.
    await delay(Math.max(0, census.lastStart + MINUTE_MS - (performance.timeOrigin + performance.now())))
    for (const [trouble, count] of troubles) {
      console.error(`${name}: ${trouble} ${count} times`)
    }
    const [answered, listed] = [census.times('answeredAfter'), census.times('listedAfter')]
    return [
      atLeast(name, 'nodes that the bootstrap answered', answered.length, ips.length),
      seconds(name, 'until a node is answered, 95 %', quantile(answered, 0.95)),
      // One IP may not fill the list, so not all of those behind one are on it.
      crowd.kind === 'one IP'
        ? shown(name, 'nodes that the bootstrap lists', listed.length)
        : atLeast(name, 'nodes that the bootstrap lists', listed.length, ips.length),
      seconds(name, 'until a node is listed, 95 %', quantile(listed, 0.95)),
      ...gathered,
      ...(await askedOf(name, [bootstrap])),
    ]
  })
}

/** How to start a crowd, and what it is held to: see `GatheringInit`. */
interface Plan {
  readonly ips: readonly string[]
  readonly unsettled: number
  readonly all?: number
  readonly each?: number
}

function behindOneIp(nodes: number): Plan {
  const ips = Array.from({ length: nodes }, () => '45.200.7.7')
  return { ips, unsettled: nodes, all: WITHIN_MS }
}

function inSubnets(subnets: number): Plan {
  const ips = Array.from({ length: subnets * PER_SUBNET }, (_, i) => {
    return `45.${2 + (i % subnets)}.7.${1 + Math.floor(i / subnets)}`
  })
  return { ips, unsettled: UNSETTLED, each: WITHIN_MS }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name, crowd] = process.argv
  for (const figure of await run(name!, JSON.parse(crowd!))) {
    console.log(JSON.stringify(figure))
  }
  process.exit()
}
