import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Listener, MultiaddrConnection, PrivateKey } from '@libp2p/interface'
import * as multistream from '@libp2p/multistream-select'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { quietLogger } from '../../src/host/patches/silent-logger.ts'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, type RawPeer, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'

/** An explained answer. */
export interface Answer {
  readonly peers: ReadonlyArray<{ readonly address: string }>
  readonly registrations?: ReadonlyArray<{ readonly status: string; readonly code: string }>
  readonly error?: { readonly code: string }
}

/** A peer at an IP of its own: it calls from there, and shows who it is to whoever dials it there. */
export class PublicPeer {
  readonly #ip: string
  readonly #key: PrivateKey
  readonly #listener: Listener
  #address = ''

  private constructor(ip: string, key: PrivateKey, listener: Listener) {
    this.#ip = ip
    this.#key = key
    this.#listener = listener
  }

  static async start(ip: string): Promise<PublicPeer> {
    const key = await generateKeyPair('Ed25519')
    const components = { privateKey: key, peerId: peerIdFromPrivateKey(key), logger: quietLogger() }
    const upgrader = {
      createInboundAbortSignal: (signal: AbortSignal) => signal,
      /** Up to the handshake, and no further. */
      async upgradeInbound(socket: MultiaddrConnection, { signal }: { signal: AbortSignal }) {
        await multistream.handle(socket, ['/noise'], { signal })
        await noise()(components as never).secureInbound(socket, { signal, skipStreamMuxerNegotiation: true })
      },
    }
    const listener = tcp()({ ...components, upgrader } as never).createListener({ upgrader } as never)
    await listener.listen(multiaddr(`/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/0`))
    const peer = new PublicPeer(ip, key, listener)
    peer.#address = listener.getAddrs()[0]!.toString()
    return peer
  }

  /** Where it listens, without its PeerId. */
  get address(): string {
    return this.#address
  }

  /** Calls afresh, asks once, and hangs up. */
  async ask(target: string, request: object): Promise<Answer> {
    const peer = await this.call(target)
    const line = Buffer.from(`${JSON.stringify({ network: 'public', explain: true, ...request })}\n`)
    peer.send(
      Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(DATA, 0, 1, line), frame(WINDOW_UPDATE, FIN, 1)]),
    )
    await peer.until(() => peer.closed || peer.ended(1) !== 'open')
    peer.hangUp()
    return JSON.parse(peer.received(1).subarray(ASKS_BOOTSTRAP.length).toString())
  }

  /** Registers where it listens, or says that it listens elsewhere; what became of that, and how long the list was. */
  async register(target: string, address = this.#address): Promise<{ readonly code: string; readonly peers: number }> {
    const { registrations, peers } = await this.ask(target, { address })
    return { code: registrations?.[0]?.code ?? 'none', peers: peers.length }
  }

  /** A connection, from its own IP. */
  call(target: string): Promise<RawPeer> {
    return rawPeer(target, { from: this.#ip, privateKey: this.#key })
  }

  async stop(): Promise<void> {
    await this.#listener.close()
  }
}

/** So many of them. */
export async function peersAt(count: number, ipOf: (i: number) => string): Promise<PublicPeer[]> {
  return await Promise.all(Array.from({ length: count }, (_, i) => PublicPeer.start(ipOf(i))))
}
