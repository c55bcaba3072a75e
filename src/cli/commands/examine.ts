// How `check` examines one bootstrap: dial it, ask it, register, and unregister again.

import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { addressesToRegister } from '../../client/addresses-to-register.ts'
import type { BootstrapAnswer, RegistrationOutcome } from '../../client/bootstrap-answer.ts'
import { BootstrapClient } from '../../client/bootstrap-client.ts'
import { BootstrapError } from '../../client/bootstrap-error.ts'
import { literalAddresses } from '../../client/literal-addresses.ts'
import type { OfferedPeer } from '../../client/offered-peers.ts'
import { MIN_TTL_MS } from '../../peer/limits.ts'
import type { LostBootstrap } from '../chosen-bootstraps.ts'
import { examineSiblings, type SiblingReport } from './siblings.ts'

/** The findings about one bootstrap and one network, as `check --json` prints them. */
export interface Report {
  /** Absent when a name resolved to none. */
  readonly peerId?: string
  readonly addresses: readonly string[]
  readonly network: string
  /** Whether it is reachable, has the expected PeerId, and answers. */
  readonly ok: boolean
  /** Why it is not `ok`. */
  readonly error?: { readonly code: string; readonly message: string; readonly advice: string }
  /** The PeerId that answers in its place. */
  readonly actualPeerId?: string
  /** From the first packet of the connection to the answer, ms. */
  readonly answeredIn?: number
  /** The address at which it sees this machine. */
  readonly observed?: string
  /** How many peers it lists. */
  readonly peers?: number
  /** Whether it lists this machine. */
  readonly listed?: boolean
  /** The outcome of each address of this machine. */
  readonly registrations?: readonly RegistrationOutcome[]
  /** How many of the peers it lists were dialled and answered. */
  readonly dialled?: { readonly alive: number; readonly dead: readonly string[] }
  /** The other bootstraps that it names. Asked for the first network only; they are the same for all. */
  readonly siblings?: readonly SiblingReport[]
}

export interface ExamineOptions {
  readonly network: string
  /** Whether to dial the peers it lists. */
  readonly dial: boolean
  /** Whether to ask the siblings it names. */
  readonly siblings: boolean
  /** Whether it should be this machine's own node. */
  readonly local: boolean
}

const DIAL_TIMEOUT_MS = 5000
const PARALLEL_DIALS = 16

/** Examines one bootstrap, and takes back what it registered. Never rejects because of what a bootstrap does. */
export async function examine(
  node: Libp2p,
  bootstrap: readonly string[],
  { network, dial, siblings, local }: ExamineOptions,
): Promise<Report> {
  const client = new BootstrapClient(node, bootstrap, { network })
  const report = { peerId: client.id, addresses: bootstrap, network }
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
      ...(siblings ? { siblings: await examineSiblings(node, client.id, answer.bootstraps) } : {}),
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
      error: { code, message, advice: adviceFor(code, local) },
      ...(actualPeerId === undefined ? {} : { actualPeerId }),
    }
  }
}

/** A name that resolved to no bootstrap. */
export function lostReport({ address, code, message }: LostBootstrap, network: string): Report {
  return { addresses: [address], network, ok: false, error: { code, message, advice: adviceFor(code, false) } }
}

function adviceFor(code: string, local: boolean): string {
  return (local ? LOCAL_ADVICE[code] : undefined) ?? ADVICE[code] ?? 'ask its operator'
}

const LOCAL_ADVICE: Readonly<Record<string, string>> = {
  unreachable: 'no node runs here with these settings; start it: bootstrap-peer start, or name its --config',
  wrong_peer: 'the node that runs here has another key than these settings; name the --config that it was started with',
}

const ADVICE: Readonly<Record<string, string>> = {
  unreachable: 'see that it runs, and that its address and port are right and open',
  name_not_resolved:
    'see that the name is spelled right and has its record (A for /dns4, AAAA for /dns6, TXT for /dnsaddr), and that ' +
    'this machine reaches its DNS server',
  timeout: 'a firewall may drop what is sent there; see that its port is open',
  wrong_peer: 'use its new PeerId if it has a new key; if it should not have one, restore the old key',
  unsupported: 'a libp2p node runs there, but no bootstrap; see that the port is the right one',
  reset: 'it hung up; see its log',
  rate_limited: 'too many ask from here; try again later',
  unavailable: 'it cannot write to its disk; see its log',
}

/** Whether the bootstrap lists this node; where it does not yet, registers for a minute to learn why. */
async function tryListing(
  node: Libp2p,
  client: BootstrapClient,
  { self }: BootstrapAnswer,
): Promise<Pick<Report, 'listed' | 'registrations'>> {
  if (self !== undefined) {
    return { listed: true, registrations: [] }
  }
  const own = { announced: node.getMultiaddrs().map(String), unconfirmed: [] }
  const { registrations } = await client.register((family) => addressesToRegister(own, client.multiaddrs, family), {
    // It is made only to see its outcome.
    ttl: MIN_TTL_MS,
    limit: 0,
  })
  const kept = registrations.filter(({ status }) => status !== 'refused').map(({ address }) => address)
  if (kept.length > 0) {
    await client.unregister(kept, { limit: 0 })
  }
  return { listed: registrations.some(({ status }) => status === 'listed'), registrations }
}

async function whoAnswers(node: Libp2p, bootstrap: readonly string[]): Promise<string | undefined> {
  const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)
  try {
    const literal = await literalAddresses(bootstrap, signal)
    const targets = literal.map((address) => multiaddr(address.replace(/\/p2p\/[^/]+$/, '')))
    const connection = await node.dial(targets, { signal })
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
