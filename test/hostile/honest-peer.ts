import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addressOf, ask, startPeer } from '../support/peers.ts'

/** How one exchange went: the time it took from the dial to the answer, or why there is none. */
export interface Exchange {
  readonly ms: number
  readonly fault?: string
  readonly peers: readonly string[]
}

/**
 * A peer that means well, in a process of its own so that it is as slow as the node makes it and not as the attackers
 * beside it. It calls afresh for each exchange, as a newcomer does.
 */
export class HonestPeer {
  readonly #child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  readonly #exchanges: Exchange[] = []
  /** Where it listens, with its PeerId. */
  address = ''

  static async start(target: string, { register = true } = {}): Promise<HonestPeer> {
    const peer = new HonestPeer()
    peer.#child.send({ target, register })
    const [{ address }] = (await once(peer.#child, 'message')) as [{ address: string }]
    peer.address = address
    peer.#child.on('message', (exchange: Exchange) => {
      peer.#exchanges.push(exchange)
      if (exchange.fault !== undefined) {
        console.error(`an honest peer after ${Math.round(exchange.ms)} ms: ${exchange.fault}`)
      }
    })
    return peer
  }

  /** The exchanges since the last call. */
  take(): Exchange[] {
    return this.#exchanges.splice(0)
  }

  /** Waits until there are so many since the last {@link take}. */
  async until(count: number, deadline = 60_000): Promise<Exchange[]> {
    const end = performance.now() + deadline
    while (this.#exchanges.length < count && performance.now() < end) {
      await delay(20)
    }
    return this.take()
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await once(this.#child, 'close')
  }
}

/** The other process: asks for ever, a few times a second, and tells how it went. */
async function serve(target: string, register: boolean): Promise<void> {
  const listener = await startPeer()
  const address = addressOf(listener)
  await ask(listener, target, register ? { address, network: 'honest' } : {})
  process.send!({ address: `${address}/p2p/${listener.peerId}` })
  for (;;) {
    const started = performance.now()
    let fault: string | undefined
    let peers: string[] = []
    const caller = await startPeer({ addresses: { listen: [] } })
    try {
      const answer: unknown = await ask(caller, target, { network: 'honest' })
      if (Array.isArray(answer)) {
        peers = answer.map((each) => String(each.address))
      } else {
        fault = JSON.stringify(answer)
      }
    } catch (err) {
      fault = String(err)
    }
    const ms = performance.now() - started
    await caller.stop()
    process.send!({ ms, peers, ...(fault === undefined ? {} : { fault }) } satisfies Exchange)
    await delay(100)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  process.once('message', ({ target, register }: { target: string; register: boolean }) => {
    void serve(target, register)
  })
}
