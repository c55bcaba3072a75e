// Asks peers of `/bootstrap/1.0.0` for their signed records, so that rendezvous clients find them.

import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { RecentMap } from '../base/recent-map.ts'
import { MAX_NETWORKS } from '../peer/limits.ts'
import { openRecord } from '../peer/record.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { DialledPeer, Visit } from './prover.ts'
import type { SignedRecords } from './signed-records.ts'

/** What a peer answers that is asked for its signed record. */
export type RecordAnswer =
  /** An envelope, not verified. */
  | Uint8Array
  /** It has none, or does not tell. */
  | 'none'
  /** It was not asked: we lacked capacity, or there is no connection to it. */
  | 'busy'
  | 'not_connected'

export interface RecordLearnerInit {
  readonly view: Pick<RegistryView, 'peers'>
  readonly records: SignedRecords
  /** Asks a peer over the connection that it has to us. Never rejects. */
  readonly ask: (peerId: string) => Promise<RecordAnswer>
  /** Asks the one who answered a dial-back. Never rejects. */
  readonly askDialled: (peer: DialledPeer) => Promise<RecordAnswer>
  /** Dials a registered address back ahead of its time; {@link RecordLearner.visitOf} is called for it. Never rejects. */
  readonly prove: (registration: Registration) => Promise<void>
  readonly clock: Clock
}

/** A peer without a record to hand out is asked again when it registers elsewhere, or after this, ms. */
const AGAIN_MS = 3_600_000
/** How many peers are looked at when the first request for a network comes, in a few ms, and how many of them are asked. */
const MAX_LOOKED_AT = 2000
const MAX_FIRST = 256
/** How many of them at a time: `MAX_IDENTIFYING` of `host/identified.ts`. */
const PARALLEL = 16
/** How long that request waits for it, ms. */
const FIRST_WAIT_MS = 1000

/**
 * Finds the signed records of peers that registered through `/bootstrap/1.0.0`, which has none, so that they are found
 * through the rendezvous protocol too. Only in networks that were asked for there: a peer is asked once, over the
 * connection that it registers on or on its next dial-back, and never by a dial of its own.
 */
export class RecordLearner {
  readonly #init: RecordLearnerInit
  /** Networks that were asked for through the rendezvous protocol; the others cost nothing. */
  readonly #networks = new RecentMap<string, true>(MAX_NETWORKS)
  /** What a peer had registered when it was asked, and when it may be asked again. */
  readonly #asked = new WeakMap<RegisteredPeer, { readonly addresses: string; readonly again: number }>()
  readonly #underWay = new Map<RegisteredPeer, Promise<'asked' | 'busy' | 'not_connected'>>()
  #everywhere = false

  constructor(init: RecordLearnerInit) {
    this.#init = init
  }

  /** The peers of a network are asked for; those of all, without one. Resolves when what can be learned at once is. */
  async onDiscover(network: string | undefined): Promise<void> {
    if (network === undefined ? this.#everywhere : this.#isAskedFor(network)) {
      return
    }
    if (network === undefined) {
      this.#everywhere = true
    } else {
      this.#networks.set(network, true)
    }
    const due = Iterator.from(this.#init.view.peers(network))
      .take(MAX_LOOKED_AT)
      .filter((peer) => this.#isDue(peer))
      .take(MAX_FIRST)
      .toArray()
    if (due.length > 0) {
      const waiting = due.values()
      const workers = Array.from({ length: PARALLEL }, () => this.#learnAll(waiting))
      await Promise.race([Promise.all(workers), delay(FIRST_WAIT_MS, undefined, { ref: false })])
    }
  }

  /** A peer registered, or registered again. */
  onRegistered(peer: RegisteredPeer): void {
    if (this.#isAskedFor(peer.network) && this.#isDue(peer)) {
      void this.#learn(peer, () => this.#init.ask(peer.id))
    }
  }

  /** What is wanted of a peer that is dialled back at a registered address. */
  visitOf({ peer, provisional }: Registration): Visit | undefined {
    // While it is provisional its peer is registering, over a connection on which it is asked afterwards.
    if (provisional || !this.#isAskedFor(peer.network) || !this.#isDue(peer)) {
      return undefined
    }
    return async (dialled) => {
      if (dialled.peerId === peer.id) {
        await this.#learn(peer, () => this.#init.askDialled(dialled))
      }
    }
  }

  async #learnAll(waiting: Iterator<RegisteredPeer>): Promise<void> {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const peer = next.value
      if ((await this.#learn(peer, () => this.#init.ask(peer.id))) === 'not_connected') {
        const registration = peer.registrations.find(({ health }) => health === 'reachable')
        if (registration !== undefined) {
          await this.#init.prove(registration)
          await this.#underWay.get(peer)
        }
      }
    }
  }

  #isAskedFor(network: string): boolean {
    return this.#everywhere || this.#networks.has(network)
  }

  #isDue(peer: RegisteredPeer): boolean {
    const { records, clock } = this.#init
    if (records.stateOf(peer) !== 'lacking') {
      return false
    }
    const asked = this.#asked.get(peer)
    return asked === undefined || asked.addresses !== addressesOf(peer) || asked.again <= clock()
  }

  /** Never rejects. */
  async #learn(peer: RegisteredPeer, ask: () => Promise<RecordAnswer>): Promise<'asked' | 'busy' | 'not_connected'> {
    const before = this.#underWay.get(peer)
    if (before !== undefined) {
      return await before
    }
    const learning = this.#take(peer, ask).finally(() => this.#underWay.delete(peer))
    this.#underWay.set(peer, learning)
    return await learning
  }

  async #take(peer: RegisteredPeer, ask: () => Promise<RecordAnswer>): Promise<'asked' | 'busy' | 'not_connected'> {
    const addresses = addressesOf(peer)
    const answer = await ask()
    if (answer === 'busy' || answer === 'not_connected') {
      return answer
    }
    const record = answer === 'none' ? undefined : await openRecord(answer)
    const isOwn = typeof record === 'object' && record.peerId === peer.id
    if (isOwn && this.#init.records.learn(peer.network, record) === 'no_room') {
      return 'busy'
    }
    this.#asked.set(peer, { addresses, again: this.#init.clock() + AGAIN_MS })
    return 'asked'
  }
}

function addressesOf({ registrations }: RegisteredPeer): string {
  return registrations
    .filter(({ provisional }) => !provisional)
    .map(({ address }) => address)
    .sort()
    .join(' ')
}
