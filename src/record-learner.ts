import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import { openRecord } from './peer/record.ts'
import { RecentMap } from './recent-map.ts'
import type { RegisteredPeer } from './registry/registration.ts'
import type { Registry } from './registry/registry.ts'
import type { RendezvousRecords } from './rendezvous-records.ts'

export interface RecordLearnerInit {
  readonly registry: Registry
  readonly records: RendezvousRecords
  /** The envelope that a connected peer shows in identify; undefined when it shows none. */
  readonly envelopeOf: (peerId: string) => Promise<Uint8Array | undefined>
  readonly isConnected: (peerId: string) => boolean
  readonly clock: Clock
}

/** Networks remembered as asked for through the rendezvous protocol; the others cost nothing. */
const MAX_NETWORKS = 1000
/** Peers remembered as asked in vain, and for how long, ms. */
const MAX_SILENT = 10_000
const SILENT_MS = 600_000
/** How many of the peers that are connected are asked when the first asker of a network comes. */
const MAX_FIRST = 256
/** How long the first asker waits for that, ms. */
const FIRST_WAIT_MS = 1000

/**
 * Finds the signed records of those who registered through `/bootstrap/1.0.0`, which has none, so that they are found
 * through the rendezvous protocol too: in networks that somebody asks for there, from peers that are connected.
 */
export class RecordLearner {
  readonly #init: RecordLearnerInit
  readonly #networks = new RecentMap<string, true>(MAX_NETWORKS)
  /** Until when a peer is not asked again. */
  readonly #silent = new RecentMap<string, number>(MAX_SILENT)
  #everywhere = false

  constructor(init: RecordLearnerInit) {
    this.#init = init
  }

  /** Somebody asks for the peers of a network; of all, without one. Resolves when what can be learned at once is. */
  async onDiscover(network: string | undefined): Promise<void> {
    if (this.#everywhere || this.#networks.get(network ?? '')) {
      return
    }
    if (network === undefined) {
      this.#everywhere = true
    } else {
      this.#networks.set(network, true)
    }
    const { registry, isConnected } = this.#init
    const unknown = Iterator.from(registry.peers(network))
      .filter((peer) => !this.#isKnown(peer) && isConnected(peer.id))
      .take(MAX_FIRST)
      .toArray()
    await Promise.race([
      Promise.all(unknown.map((peer) => this.#learn(peer))),
      delay(FIRST_WAIT_MS, undefined, { ref: false }),
    ])
  }

  /** A peer registered, or registered again. */
  onRegistered(peer: RegisteredPeer): void {
    if ((this.#everywhere || this.#networks.has(peer.network)) && !this.#isKnown(peer)) {
      void this.#learn(peer)
    }
  }

  /** Whether its record still names a place where it is. */
  #isKnown(peer: RegisteredPeer): boolean {
    const record = this.#init.registry.peerRecords.find(peer)?.record
    return (
      record === 'unsigned' ||
      record?.addresses.some((each) => peer.registrations.some(({ address }) => each.startsWith(address))) === true
    )
  }

  /** Never rejects. */
  async #learn(peer: RegisteredPeer): Promise<void> {
    const { clock } = this.#init
    if ((this.#silent.get(peer.id) ?? 0) > clock()) {
      return
    }
    const envelope = await this.#init.envelopeOf(peer.id)
    const record = envelope && (await openRecord(envelope))
    if (typeof record !== 'object' || record.peerId !== peer.id || !this.#init.records.learn(peer.network, record)) {
      this.#silent.set(peer.id, clock() + SILENT_MS)
    }
  }
}
