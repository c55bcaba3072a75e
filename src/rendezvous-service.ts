import type { ComponentLogger, Connection } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Clock } from './clock.ts'
import { RendezvousFrontend } from './frontends/rendezvous.ts'
import type { ExchangeEvent } from './frontends/rendezvous-answers.ts'
import { AskerForms } from './frontends/rendezvous-askers.ts'
import { type IdentifiedComponents, IdentifiedPeers } from './host/identified.ts'
import type { AdmissionRules } from './policy/admission.ts'
import type { Caller } from './policy/caller.ts'
import type { RequestLimits } from './policy/request-limits.ts'
import type { Random } from './random.ts'
import { RecordLearner } from './record-learner.ts'
import type { RegisteredPeer } from './registry/registration.ts'
import type { RendezvousPoint } from './rendezvous-point.ts'
import { RendezvousRecords } from './rendezvous-records.ts'
import { RENDEZVOUS_PROTOCOL } from './wire/rendezvous-messages.ts'

export interface RendezvousServiceInit {
  readonly point: RendezvousPoint
  readonly rules: AdmissionRules
  readonly limits: RequestLimits
  readonly clock: Clock
  readonly random: Random
  readonly count: (event: ExchangeEvent) => void
  readonly onCaller: (caller: Caller) => void
}

export interface RendezvousServiceComponents extends IdentifiedComponents {
  readonly registrar: Registrar
  readonly logger: ComponentLogger
}

/** Streams of one connection at a time. */
const MAX_STREAMS = 8

/** `/rendezvous/1.0.0` on a rendezvous point: its parts, and how they are put together. */
export class RendezvousService {
  readonly #registrar: Registrar
  readonly #frontend: RendezvousFrontend
  readonly #learner: RecordLearner

  constructor(components: RendezvousServiceComponents, init: RendezvousServiceInit) {
    const identified = new IdentifiedPeers(components)
    const records = new RendezvousRecords(init)
    this.#registrar = components.registrar
    this.#learner = new RecordLearner({
      registry: init.point.registry,
      records,
      clock: init.clock,
      envelopeOf: async (peerId) => (await identified.of(peerIdFromString(peerId)))?.envelope,
      isConnected: (peerId) => components.connectionManager.getConnections(peerIdFromString(peerId)).length > 0,
    })
    this.#frontend = new RendezvousFrontend({
      ...init,
      records,
      forms: new AskerForms(async ({ remotePeer }: Connection) => (await identified.of(remotePeer))?.agent),
      log: components.logger.forComponent('bootstrap-peer:rendezvous'),
      onDiscover: (network) => this.#learner.onDiscover(network),
    })
  }

  async start(): Promise<void> {
    await this.#registrar.handle(RENDEZVOUS_PROTOCOL, this.#frontend.handle, {
      maxInboundStreams: MAX_STREAMS,
      maxOutboundStreams: 0,
    })
  }

  /** Lets what is being answered finish, for `grace` ms at most. */
  async stop(grace: number): Promise<void> {
    await this.#registrar.unhandle(RENDEZVOUS_PROTOCOL)
    await this.#frontend.stop(grace)
  }

  /** A peer registered through whatever protocol. */
  onRegistered(peer: RegisteredPeer): void {
    this.#learner.onRegistered(peer)
  }
}
