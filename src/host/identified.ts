import type { Connection, PeerId, PeerStore } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'

/** What of a libp2p node tells who its peers are. `identify` is there only where the node has that service. */
export interface IdentifiedComponents {
  readonly peerStore: Pick<PeerStore, 'get'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly identify?: { identify(connection: Connection, options: { signal: AbortSignal }): Promise<unknown> }
}

/** What a peer says of itself in identify. Not believed: others have to verify the envelope. */
export interface Identified {
  readonly agent: string | undefined
  /** Its signed peer record. */
  readonly envelope: Uint8Array | undefined
}

/** How long a peer has to say who it is, ms. */
export const IDENTIFY_TIMEOUT_MS = 2000
/** Peers asked at the same time; beyond that nobody is asked. It costs 1 ms of CPU each. */
export const MAX_IDENTIFYING = 16

/**
 * Asks peers who they are, those who did not say so already. libp2p would ask everybody who connects, and most are never
 * needed.
 */
export class IdentifiedPeers {
  readonly #components: IdentifiedComponents
  readonly #underWay = new Map<string, Promise<Identified | undefined>>()

  constructor(components: IdentifiedComponents) {
    this.#components = components
  }

  /** Undefined when it can't be told now: there is no connection, no identify, no time, or no answer. */
  async of(peerId: PeerId): Promise<Identified | undefined> {
    const key = peerId.toString()
    const asked = this.#underWay.get(key)
    if (asked !== undefined) {
      return await asked
    }
    const known = await this.#known(peerId)
    if (known?.agent !== undefined || this.#underWay.size >= MAX_IDENTIFYING) {
      return known
    }
    const asking = this.#ask(peerId).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asking)
    return await asking
  }

  async #ask(peerId: PeerId): Promise<Identified | undefined> {
    const identify = serviceOf(this.#components)
    const connection = this.#components.connectionManager.getConnections(peerId)[0]
    if (identify === undefined || connection === undefined) {
      return undefined
    }
    try {
      await identify.identify(connection, { signal: AbortSignal.timeout(IDENTIFY_TIMEOUT_MS) })
    } catch (err) {
      // rust-libp2p may show a record in its own form, which libp2p takes for a forgery: that says who it is.
      return err instanceof Error && err.name === 'InvalidSignatureError' ? RUST : undefined
    }
    return await this.#known(peerId)
  }

  async #known(peerId: PeerId): Promise<Identified | undefined> {
    try {
      const { metadata, peerRecordEnvelope } = await this.#components.peerStore.get(peerId)
      const agent = metadata.get('AgentVersion')
      return { agent: agent && Buffer.from(agent).toString(), envelope: peerRecordEnvelope }
    } catch {
      // NotFoundError: nothing is known.
      return undefined
    }
  }
}

const RUST: Identified = { agent: 'rust-libp2p/', envelope: undefined }

/** libp2p's components throw when they are asked for what is not among them. */
function serviceOf(components: IdentifiedComponents): IdentifiedComponents['identify'] {
  try {
    return components.identify
  } catch {
    return undefined
  }
}
