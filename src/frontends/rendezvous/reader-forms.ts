// Which forms of signed records a caller can read.

import type { Connection } from '@libp2p/interface'
import { RecentMap } from '../../base/recent-map.ts'
import type { RecordForm } from '../../peer/record.ts'
import type { ReadableForm } from '../../point/point-api.ts'

/** The most callers remembered. Those that asked longest ago are forgotten, and identified again. */
const MAX_READERS = 50_000

/** Returns what a caller says of itself in identify; undefined when it cannot be asked now. */
export type AskWho = (
  connection: Connection,
) => Promise<{ readonly agent: string | undefined; readonly form: RecordForm | undefined } | undefined>

/**
 * Which form of records each caller can read. DISCOVER does not say so, and rust-libp2p's client fails on a whole answer
 * when one record in it has the standard form, other clients on the form of rust-libp2p. The form is that of the record
 * which the caller registered, or else follows from identify: its program, or the form of its record there.
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

  /** Undefined when it is not known. */
  async formOf(connection: Connection): Promise<ReadableForm | undefined> {
    const peerId = connection.remotePeer.toString()
    const known = this.#forms.get(peerId)
    if (known !== undefined) {
      return known === 'unknown' ? undefined : known
    }
    const who = await this.#askWho(connection)
    // A registration that came meanwhile says more.
    const form = this.#forms.get(peerId) ?? (who && formOf(who)) ?? 'unknown'
    if (who !== undefined) {
      this.#forms.set(peerId, form)
    }
    return form === 'unknown' ? undefined : form
  }
}

/** A known program goes before its record: py-libp2p signs one in identify, but its rendezvous reads none. */
function formOf({ agent, form }: NonNullable<Awaited<ReturnType<AskWho>>>): ReadableForm | undefined {
  if (agent?.startsWith('py-libp2p/')) {
    return 'unsigned'
  }
  return agent?.startsWith('rust-libp2p/') ? 'routing-state' : (form ?? (agent === undefined ? undefined : 'standard'))
}
