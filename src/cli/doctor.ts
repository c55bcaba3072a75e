import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { type BootstrapAnswer, BootstrapClient } from '../client/bootstrap-client.ts'
import { BootstrapError } from '../client/bootstrap-error.ts'
import type { OfferedPeer } from '../client/offered-peers.ts'
import { addressesToRegister } from '../client/own-addresses.ts'
import type { Verdict } from '../wire/bootstrap-codec.ts'

/** What was found out about one bootstrap, as `check --json` prints it. */
export interface Report {
  readonly peerId: string
  readonly addresses: readonly string[]
  /** Whether it is reachable, is the one it should be, and answers. */
  readonly ok: boolean
  /** Why not. */
  readonly error?: { readonly code: string; readonly message: string; readonly advice: string }
  /** Who answers in its place. */
  readonly actualPeerId?: string
  /** From the first packet of the connection to the answer, ms. */
  readonly answeredIn?: number
  /** Where it sees this machine. */
  readonly observed?: string
  /** How many peers it hands out. */
  readonly peers?: number
  /** Whether it lists this machine. */
  readonly listed?: boolean
  /** What became of each address of this machine. */
  readonly registrations?: readonly Verdict[]
  /** Of the peers it hands out, how many were dialled and answered. */
  readonly dialled?: { readonly alive: number; readonly dead: readonly string[] }
}

/** A registration that is only to see what comes of it, seconds: the least there is. */
const TRIAL_TTL_S = 60
const DIAL_TIMEOUT_MS = 5000
const PARALLEL_DIALS = 16

/** Examines one bootstrap. What it registers it takes back. Never rejects for what a bootstrap does. */
export async function examine(
  node: Libp2p,
  bootstrap: readonly string[],
  { network, dial }: { readonly network: string; readonly dial: boolean },
): Promise<Report> {
  const client = new BootstrapClient(node, bootstrap, { network })
  const report = { peerId: client.id, addresses: bootstrap }
  const started = performance.now()
  try {
    const answer = await client.discover()
    const answeredIn = Math.round(performance.now() - started)
    const listing = await tryListing(node, client, answer)
    return {
      ...report,
      ok: true,
      answeredIn,
      ...(answer.observed === undefined ? {} : { observed: answer.observed }),
      peers: answer.peers.length,
      ...listing,
      ...(dial ? { dialled: await dialAll(node, answer.peers) } : {}),
    }
  } catch (error) {
    if (!(error instanceof BootstrapError)) {
      throw error
    }
    const actualPeerId = error.code === 'wrong_peer' ? await whoAnswers(node, bootstrap) : undefined
    const { code, message } = error
    return {
      ...report,
      ok: false,
      error: { code, message, advice: ADVICE[code] ?? 'ask its operator' },
      ...(actualPeerId === undefined ? {} : { actualPeerId }),
    }
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  unreachable: 'see that it runs, and that its address and port are right and open',
  timeout: 'a firewall may drop what is sent there; see that its port is open',
  wrong_peer: 'use its new PeerId if it has a new key; if it should not have one, restore the old key',
  unsupported: 'a libp2p node runs there, but no bootstrap; see that the port is the right one',
  reset: 'it hung up; see what its log says',
  rate_limited: 'too many ask from here; try again later',
  unavailable: 'its disk takes nothing; see what its log says',
}

/** Whether the bootstrap lists this node; where it does not yet, registers for a minute to hear why. */
async function tryListing(
  node: Libp2p,
  client: BootstrapClient,
  { self }: BootstrapAnswer,
): Promise<Pick<Report, 'listed' | 'registrations'>> {
  const addresses = addressesToRegister(node.getMultiaddrs().map(String), client.multiaddrs)
  if (self !== undefined || addresses.length === 0) {
    return { listed: self !== undefined, registrations: [] }
  }
  const { registrations } = await client.register(addresses, { ttl: TRIAL_TTL_S, limit: 0 })
  await client.unregister(addresses, { limit: 0 })
  return { listed: registrations.some(({ status }) => status === 'listed'), registrations }
}

async function whoAnswers(node: Libp2p, bootstrap: readonly string[]): Promise<string | undefined> {
  const targets = bootstrap.map((address) => multiaddr(address.replace(/\/p2p\/[^/]+$/, '')))
  try {
    const connection = await node.dial(targets, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    await connection.close()
    return connection.remotePeer.toString()
  } catch {
    return undefined
  }
}

async function dialAll(node: Libp2p, peers: readonly OfferedPeer[]): Promise<NonNullable<Report['dialled']>> {
  const dead: string[] = []
  const queue = peers.values()
  const dialler = async () => {
    for (const peer of queue) {
      const targets = peer.addresses.map(({ text }) => multiaddr(`${text}/p2p/${peer.id}`))
      try {
        const connection = await node.dial(targets, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
        await connection.close()
      } catch {
        dead.push(peer.id)
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_DIALS }, dialler))
  return { alive: peers.length - dead.length, dead }
}
