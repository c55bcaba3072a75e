import { ASKS_BOOTSTRAP, DATA, FIN, frame, type RawPeer, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'

/** What came of one exchange. */
export interface RawExchange {
  /** What stood behind the negotiation. */
  readonly answer: string
  /** `gone` when the connection went with it; `silent` when nothing ended it in time. */
  readonly ended: 'closed' | 'reset' | 'gone' | 'silent'
  readonly ms: number
}

/** An exchange has to be over by then, ms: answered or closed. */
export const ANSWER_MS = 5000
/** Streams and requests of one identity before the next one takes over; the node allows 100 of each in a burst. */
const PER_CONNECTION = 80
/** And bytes; it is cut at 512 KiB. */
const BYTES_PER_CONNECTION = 200_000

/** Asks with bytes that no library would send, cut as one likes, and changes its identity before limits end it. */
export class RawCaller {
  readonly #target: string
  #peer: Promise<RawPeer> | undefined
  #left = 0
  #id = -1

  constructor(target: string) {
    this.#target = target
  }

  /** One stream: each piece in a frame of its own, then our side is closed. `cost` is how many requests are in them. */
  async exchange(pieces: readonly Uint8Array[], cost = 1): Promise<RawExchange> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const peer = await this.#connected(Math.max(cost, Math.ceil((bytes * PER_CONNECTION) / BYTES_PER_CONNECTION)))
    this.#id += 2
    const id = this.#id
    const started = performance.now()
    const frames = pieces.map((piece) => frame(DATA, 0, id, piece))
    peer.send(Buffer.concat([frame(DATA, SYN, id, ASKS_BOOTSTRAP), ...frames, frame(WINDOW_UPDATE, FIN, id)]))
    const over = () => peer.closed || peer.ended(id) !== 'open'
    const inTime = await peer.until(over, ANSWER_MS + 1000)
    const ended = peer.ended(id)
    const received = peer.received(id)
    const preface = ASKS_BOOTSTRAP.length
    return {
      answer: received.subarray(preface).toString(),
      ended: !inTime ? 'silent' : ended === 'open' ? 'gone' : ended,
      ms: performance.now() - started,
    }
  }

  async hangUp(): Promise<void> {
    ;(await this.#peer?.catch(() => undefined))?.hangUp()
    this.#peer = undefined
  }

  async #connected(cost: number): Promise<RawPeer> {
    this.#left -= cost
    const current = await this.#peer?.catch(() => undefined)
    if (this.#left < 0 || current === undefined || current.closed) {
      current?.hangUp()
      this.#left = PER_CONNECTION - cost
      this.#id = -1
      this.#peer = rawPeer(this.#target)
    }
    return await this.#peer!
  }
}
