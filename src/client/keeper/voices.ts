// Which origins count as voices: one whose peers never answer does not.

/**
 * After this many different peers in a row that did not answer an origin is no voice, however many more it names. Four in a
 * row fail by chance where most of a list is dead.
 */
const MOST_SILENT = 4
/** How often one peer of an origin that is no voice is dialled by a node that has what it wants, ms. */
export const FEELER_MS = 60_000

/**
 * Which origins are a voice: while there are several, none of them fills half of the places. An origin whose peers have all
 * failed is none until one of them answers; else one dead record would keep places empty for ever. So is one of which
 * several in a row failed, whatever answered before. Only peers that it alone names count. Synchronous; no I/O.
 */
export class Voices {
  /** By origin the peers that failed since one of its peers answered. */
  readonly #silent = new Map<string, { readonly ids: Set<string>; lastAt: number }>()

  answered(origin: string): void {
    this.#silent.delete(origin)
  }

  failed(origin: string, id: string, now: number): void {
    const silent = this.#silent.get(origin) ?? { ids: new Set(), lastAt: now }
    silent.lastAt = now
    if (silent.ids.size < MOST_SILENT) {
      silent.ids.add(id)
    }
    this.#silent.set(origin, silent)
  }

  /** This node has lost all of its peers: it may have been its own network, so earlier failures say nothing. */
  forget(): void {
    this.#silent.clear()
  }

  /** `ids` returns the peers that the origin alone names now. */
  isVoice(origin: string, ids: () => readonly string[]): boolean {
    const silent = this.#silent.get(origin)?.ids
    return silent === undefined || (silent.size < MOST_SILENT && ids().some((id) => !silent.has(id)))
  }

  /** Whether one of its peers is to be dialled beyond the target, to see whether they are back. */
  wantsFeeler(origin: string, now: number): boolean {
    const silent = this.#silent.get(origin)
    return silent !== undefined && now - silent.lastAt >= FEELER_MS
  }
}
