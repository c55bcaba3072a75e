import type { ComponentLogger, Connection } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { AskerForms, type AskWho } from '../frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../frontends/rendezvous/rendezvous.ts'
import type { ExchangeEvent } from '../frontends/rendezvous/rendezvous-answers.ts'
import { type Identified, type IdentifiedComponents, IdentifiedPeers, type Unidentified } from '../host/identified.ts'
import type { Caller } from '../peer/caller.ts'
import { formOfEnvelope } from '../peer/record.ts'
import { type RecordAnswer, RecordLearner } from '../point/record-learner.ts'
import type { RendezvousPoint } from '../point/rendezvous-point.ts'
import { RendezvousRecords } from '../point/signed-records.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import type { RequestLimits } from '../policy/request-limits.ts'
import type { Visit } from '../proofs/prober.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'
import { RENDEZVOUS_PROTOCOL } from '../wire/rendezvous-messages.ts'

export interface RendezvousServiceInit {
  readonly point: RendezvousPoint
  readonly rules: AdmissionRules
  readonly limits: RequestLimits
  readonly clock: Clock
  readonly random: Random
  /** Dials a registered address back ahead of its time. Never rejects. */
  readonly prove: (registration: Registration) => Promise<void>
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
    const { clock } = init
    // A budget each: a crowd of askers is not to keep the node from learning of those who register.
    const askers = new IdentifiedPeers(components, { clock })
    const registered = new IdentifiedPeers(components, { clock })
    const records = new RendezvousRecords(init)
    this.#registrar = components.registrar
    this.#learner = new RecordLearner({
      registry: init.point.registry,
      records,
      clock,
      ask: async (peerId) => answerOf(await registered.of(peerIdFromString(peerId))),
      askDialled: async (peer) => answerOf(await registered.ask(peer)),
      prove: init.prove,
    })
    this.#frontend = new RendezvousFrontend({
      ...init,
      records,
      forms: new AskerForms(async ({ remotePeer }: Connection) => whoOf(await askers.of(remotePeer))),
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

  /** What is wanted of a registered peer when it is dialled back. */
  visitOf(registration: Registration): Visit | undefined {
    return this.#learner.visitOf(registration)
  }
}

function answerOf(told: Identified | Unidentified): RecordAnswer {
  return typeof told === 'object' ? (told.envelope ?? 'none') : told === 'silent' ? 'none' : told
}

function whoOf(told: Identified | Unidentified): Awaited<ReturnType<AskWho>> {
  if (typeof told === 'object') {
    return { agent: told.agent, form: told.envelope && formOfEnvelope(told.envelope) }
  }
  return told === 'silent' ? { agent: undefined, form: undefined } : undefined
}
