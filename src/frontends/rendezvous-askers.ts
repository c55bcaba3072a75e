import type { Connection } from '@libp2p/interface'
import { RecentMap } from '../recent-map.ts'
import type { ReadableForm } from '../rendezvous-records.ts'

/** The most askers remembered; the ones that asked longest ago are asked again who they are. */
const MAX_ASKERS = 50_000

/** Asks a peer for its agent version, by identify; undefined when it does not tell. */
export type AskAgent = (connection: Connection) => Promise<string | undefined>

/**
 * Which records an asker can read. Nothing in DISCOVER says so: rust-libp2p's client fails on a whole answer when one
 * record in it is signed in the form of all others, and theirs on its form. So it is told by what the asker registered,
 * or else by what it says in identify that it is.
 */
export class AskerForms {
  readonly #forms = new RecentMap<string, ReadableForm | 'unknown'>(MAX_ASKERS)
  readonly #askAgent: AskAgent | undefined

  constructor(askAgent: AskAgent | undefined) {
    this.#askAgent = askAgent
  }

  /** A peer registered a record of this form, so it reads this form. */
  note(peerId: string, form: ReadableForm): void {
    this.#forms.set(peerId, form)
  }

  /** Undefined when nobody knows. */
  async formOf(connection: Connection): Promise<ReadableForm | undefined> {
    const peerId = connection.remotePeer.toString()
    let form = this.#forms.get(peerId)
    if (form === undefined) {
      form = formOfAgent(await this.#askAgent?.(connection)) ?? 'unknown'
      // It may have registered meanwhile, which says more.
      form = this.#forms.get(peerId) ?? form
      this.#forms.set(peerId, form)
    }
    return form === 'unknown' ? undefined : form
  }
}

function formOfAgent(agent: string | undefined): ReadableForm | undefined {
  if (agent === undefined) {
    return undefined
  }
  return agent.startsWith('rust-libp2p/') ? 'legacy' : agent.startsWith('py-libp2p/') ? 'unsigned' : 'standard'
}
