// Asks a connected peer to identify itself: its agent and its signed record.

import type { AbortOptions, PeerId, PeerStore, Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { FairRateLimiter } from '../base/fair-rate-limit.ts'
import { FairShares } from '../base/fair-shares.ts'
import type { RateLimit } from '../base/rate-limit.ts'
import { callerAt } from '../peer/caller.ts'
import { isLimited, subnetsOf } from '../peer/ip.ts'
import { readMessages } from '../streams/messages.ts'
import {
  decodeIdentify,
  IDENTIFY_PROTOCOL,
  MAX_IDENTIFY_BYTES,
  MAX_IDENTIFY_MESSAGES,
} from '../wire/identify-message.ts'

/** The part of a libp2p node that knows what its peers identify as. */
export interface IdentifiedComponents {
  readonly peerStore: Pick<PeerStore, 'get'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
}

export interface IdentifiedPeersInit {
  /** How many peers may be asked. Default {@link IDENTIFY_BUDGET}. */
  readonly budget?: RateLimit
  /** In ms. */
  readonly clock: () => number
}

/** What a peer says of itself in identify. Unverified: the caller verifies the envelope. */
export interface Identified {
  readonly agent: string | undefined
  /** Its signed peer record, in either form. */
  readonly envelope: Uint8Array | undefined
}

/**
 * Why there is no answer. `busy`: the node lacked capacity and did not ask. `silent`: the peer did not answer in time,
 * or does not speak identify.
 */
export type Unidentified = 'busy' | 'silent' | 'not_connected'

/** A connection that can be asked. */
export interface Askable {
  /** A multiaddr. */
  readonly remoteAddr: { toString(): string }
  newStream(protocol: string, options: Required<AbortOptions>): Promise<Stream>
}

/** How long a peer has to answer, ms. */
export const IDENTIFY_TIMEOUT_MS = 2000
/** How many peers are asked at the same time; beyond that, one of the most crowded subnet gives way. */
export const MAX_IDENTIFYING = 16
/** How many peers are asked at once, and per second after that: one costs 1 ms of CPU, so 50 are a twentieth of a core. */
export const IDENTIFY_BUDGET: RateLimit = { burst: 256, perSecond: 50 }

/**
 * Asks peers to identify themselves. libp2p would ask every peer that connects, and most of the answers are never
 * needed; and it rejects a record in rust-libp2p's form (@libp2p/identify 4.1: InvalidSignatureError), which rust peers
 * have.
 */
export class IdentifiedPeers {
  readonly #components: IdentifiedComponents
  readonly #clock: () => number
  readonly #budget: FairRateLimiter
  readonly #underWay = new Map<string, Promise<Identified | Unidentified>>()
  readonly #asking = new FairShares<AbortController>()

  constructor(components: IdentifiedComponents, { budget = IDENTIFY_BUDGET, clock }: IdentifiedPeersInit) {
    this.#components = components
    this.#clock = clock
    this.#budget = new FairRateLimiter(budget)
  }

  /** What a connected peer says. Never rejects. */
  async of(peerId: PeerId): Promise<Identified | Unidentified> {
    const key = peerId.toString()
    const asked = this.#underWay.get(key)
    if (asked !== undefined) {
      return await asked
    }
    const asking = this.#find(peerId).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asking)
    return await asking
  }

  /**
   * What the peer at the other end says. Never rejects. `busy` when its subnet has its share of the questions under way,
   * or of those a second, and when it had to give way to a peer of a subnet that has fewer.
   */
  async ask(connection: Askable): Promise<Identified | 'busy' | 'silent'> {
    const path = pathOf(connection)
    const now = this.#clock()
    const isFull = this.#asking.size >= MAX_IDENTIFYING
    const last = isFull ? this.#asking.whoGivesWay(path, 0) : undefined
    if ((isFull && last === undefined) || this.#budget.wait(path, now) > 0) {
      return 'busy'
    }
    last?.abort()
    this.#budget.take(path, now)
    return await this.#ask(connection, path)
  }

  async #ask(connection: Askable, path: readonly string[]): Promise<Identified | 'busy' | 'silent'> {
    const giveWay = new AbortController()
    const leave = () => this.#asking.remove(path, giveWay)
    giveWay.signal.addEventListener('abort', leave)
    this.#asking.add(path, giveWay)
    const signal = AbortSignal.any([AbortSignal.timeout(IDENTIFY_TIMEOUT_MS), giveWay.signal])
    let stream: Stream | undefined
    try {
      stream = await connection.newStream(IDENTIFY_PROTOCOL, { signal })
      const identified = await readIdentified(stream, signal)
      await stream.close({ signal })
      return identified
    } catch (err) {
      stream?.abort(err instanceof Error ? err : new Error(String(err)))
      return giveWay.signal.aborted ? 'busy' : 'silent'
    } finally {
      leave()
    }
  }

  async #find(peerId: PeerId): Promise<Identified | Unidentified> {
    const [connection] = this.#components.connectionManager.getConnections(peerId)
    return (await this.#known(peerId)) ?? (connection === undefined ? 'not_connected' : await this.ask(connection))
  }

  /** What a host that asks every peer has learned, and keeps up to date. */
  async #known(peerId: PeerId): Promise<Identified | undefined> {
    try {
      const { metadata, peerRecordEnvelope } = await this.#components.peerStore.get(peerId)
      const agent = metadata.get('AgentVersion')
      return agent && { agent: Buffer.from(agent).toString(), envelope: peerRecordEnvelope }
    } catch {
      // NotFoundError: nothing is known of the peer.
      return undefined
    }
  }
}

/** Rejects when there is no message. */
async function readIdentified(stream: Stream, signal: AbortSignal): Promise<Identified | 'silent'> {
  const limits = { maxBytes: MAX_IDENTIFY_BYTES, timeout: IDENTIFY_TIMEOUT_MS }
  let identified: Identified | undefined
  let left = MAX_IDENTIFY_MESSAGES
  for await (const frame of readMessages(stream, limits, signal)) {
    const message = 'tooLong' in frame ? undefined : decodeIdentify(frame)
    if (message === undefined) {
      break
    }
    identified = {
      agent: message.agent ?? identified?.agent,
      envelope: message.signedPeerRecord ?? identified?.envelope,
    }
    if (--left === 0 || identified.envelope !== undefined) {
      break
    }
  }
  return identified ?? 'silent'
}

/** What its questions are counted by. Private ranges, where a test network may be on one machine, have a budget of their own. */
function pathOf({ remoteAddr }: Askable): readonly string[] {
  const caller = callerAt('', remoteAddr.toString())
  return caller !== undefined && isLimited(caller.scope) ? ['public', ...subnetsOf(caller.ip)] : ['private']
}
