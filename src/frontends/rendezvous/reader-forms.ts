import type { Connection } from '@libp2p/interface'
import { RecentMap } from '../../base/recent-map.ts'
import type { RecordForm } from '../../peer/record.ts'
import type { ReadableForm } from '../../point/point-api.ts'

/** The most callers remembered; the ones that asked longest ago are asked again who they are. */
const MAX_READERS = 50_000

/** What a caller says of itself in identify; undefined when it can't be asked now. */
export type AskWho = (
  connection: Connection,
) => Promise<{ readonly agent: string | undefined; readonly form: RecordForm | undefined } | undefined>

/**
 * Which records a caller can read. Nothing in DISCOVER says so: rust-libp2p's client fails on a whole answer when one
 * record in it is signed in the form of all others, and theirs on its form. So it is told by what the caller
 * registered, or else by what it says in identify: what it is, or how its record is signed.
 */
export class ReaderForms {
  readonly #forms = new RecentMap<string, ReadableForm | 'unknown'>(MAX_READERS)
  readonly #askWho: AskWho

  constructor(askWho: AskWho) {
    this.#askWho = askWho
  }

  /** A peer registered a record of this form, so it reads this form. */
  note(peerId: string, form: ReadableForm): void {
    this.#forms.set(peerId, form)
  }

  /** Undefined when nobody knows. */
  async formOf(connection: Connection): Promise<ReadableForm | undefined> {
    const peerId = connection.remotePeer.toString()
    const known = this.#forms.get(peerId)
    if (known !== undefined) {
      return known === 'unknown' ? undefined : known
    }
    const who = await this.#askWho(connection)
    // It may have registered meanwhile, which says more.
    const form = this.#forms.get(peerId) ?? (who && formOf(who)) ?? 'unknown'
    if (who !== undefined) {
      this.#forms.set(peerId, form)
    }
    return form === 'unknown' ? undefined : form
  }
}

/** A program that is known goes before its record: py-libp2p signs one in identify, and its rendezvous reads none. */
function formOf({ agent, form }: NonNullable<Awaited<ReturnType<AskWho>>>): ReadableForm | undefined {
  if (agent?.startsWith('py-libp2p/')) {
    return 'unsigned'
  }
  return agent?.startsWith('rust-libp2p/') ? 'routing-state' : (form ?? (agent === undefined ? undefined : 'standard'))
}
