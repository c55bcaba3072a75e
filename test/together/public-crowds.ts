import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { TARGET } from '../../src/client/keeper-init.ts'
import { atLeast, atMost, type Figure, quantile, shown } from '../hostile/report.ts'
import { namespaceFault, spawnInNamespace } from '../support/namespace.ts'
import { startCountedBootstrap } from './counted-bootstrap.ts'
import { Crowd } from './crowd.ts'
import { askedOf, gathering } from './gathering.ts'

/** Where the bootstrap listens in the namespace. */
const BOOTSTRAP_IP = '45.1.0.1'
const MINUTE_MS = 60_000
const WITHIN_MS = 2 * MINUTE_MS
/** Nodes of one subnet. */
const PER_SUBNET = 10

/** A crowd at public addresses. */
export type PublicCrowd =
  /** So many subnets of /24 in networks of their own, of ten nodes each. */
  | { readonly kind: 'subnets'; readonly subnets: number }
  /** So many nodes behind one IP, such as a carrier's NAT or a university's. */
  | { readonly kind: 'one IP'; readonly nodes: number }

/** Runs a crowd in a network namespace of its own. Where there is none this fails: skipped is not proved. */
export async function publicCrowd(name: string, crowd: PublicCrowd): Promise<Figure[]> {
  const fault = namespaceFault()
  if (fault !== undefined) {
    console.error(`${name}: ${fault}`)
    return [atMost(name, 'rows that could not be run', 1, 0)]
  }
  const child = spawnInNamespace([fileURLToPath(import.meta.url), name, JSON.stringify(crowd)])
  const figures: Figure[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => figures.push(JSON.parse(line)))
  const [code] = await once(child, 'close')
  return [...figures, atMost(name, 'rows that could not be run', code === 0 ? 0 : 1, 0)]
}

async function run(name: string, crowd: PublicCrowd): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const scope = { after: (cleanUp: () => unknown) => stack.defer(async () => void (await cleanUp())) }
  const bootstrap = await startCountedBootstrap(scope, BOOTSTRAP_IP)
  const ips = ipsOf(crowd)
  const began = performance.now()
  // What two cores can start beside all that has been started: each node costs some 50 ms of them until it is connected.
  const apart = 20
  const { census, troubles } = Crowd.start(scope, { bootstraps: [bootstrap.address], ips, apart })
  const gathered = await gathering({ name, census, count: ips.length, target: TARGET, within: WITHIN_MS, began })
  // The first minute of the node that was started last.
  await delay(Math.max(0, began + ips.length * apart + MINUTE_MS - performance.now()))
  for (const [trouble, count] of troubles) {
    console.error(`${name}: ${trouble} ${count} times`)
  }
  return [
    atLeast(name, 'nodes that the bootstrap answered', census.times('answeredAfter').length, ips.length),
    shown(name, 'until a node is answered, 95 %', quantile(census.times('answeredAfter'), 0.95) / 1000, 's'),
    ...listed(name, crowd, census.times('listedAfter')),
    ...gathered,
    ...(await askedOf(name, [bootstrap])),
  ]
}

function ipsOf(crowd: PublicCrowd): string[] {
  return crowd.kind === 'one IP'
    ? Array.from({ length: crowd.nodes }, () => '45.200.7.7')
    : Array.from({ length: crowd.subnets * PER_SUBNET }, (_, i) => {
        const subnet = i % crowd.subnets
        return `45.${2 + subnet}.7.${1 + Math.floor(i / crowd.subnets)}`
      })
}

/** One IP may not fill the list, so not all of those behind one are on it. */
function listed(name: string, crowd: PublicCrowd, times: readonly number[]): Figure[] {
  return crowd.kind === 'one IP'
    ? [shown(name, 'nodes that the bootstrap lists', times.length)]
    : [
        atLeast(name, 'nodes that the bootstrap lists', times.length, crowd.subnets * PER_SUBNET),
        shown(name, 'until a node is listed, 95 %', quantile(times, 0.95) / 1000, 's'),
      ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name, crowd] = process.argv
  for (const figure of await run(name!, JSON.parse(crowd!))) {
    console.log(JSON.stringify(figure))
  }
  process.exit()
}
