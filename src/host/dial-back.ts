// Dials an address up to the end of the Noise handshake, to see which PeerId answers.

import { yamux } from '@chainsafe/libp2p-yamux'
import type {
  ComponentLogger,
  ConnectionEncrypter,
  MessageStream,
  MultiaddrConnection,
  PeerId,
  PrivateKey,
  Upgrader,
} from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'
import * as multistream from '@libp2p/multistream-select'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import type { ProofFault } from '../policy/refusal.ts'
import type { Dial, DialledPeer, Visit } from '../proofs/dial.ts'
import { patchedNoise } from './patches/patched-noise.ts'
import type { Optimization } from './switches.ts'

/** How long a dial may take, connect and handshake together, ms. A registration waits 5 s for its outcomes. */
export const DIAL_TIMEOUT_MS = 4000

/** The part of a libp2p node that the dial-back uses. */
export interface DialBackComponents {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly upgrader: Upgrader
  readonly logger: ComponentLogger
  readonly addressManager: Pick<AddressManager, 'getAddresses'>
}

/**
 * Dials an address afresh, up to the end of the Noise handshake, and hangs up: a dial-back needs no more.
 *
 * Not `libp2p.dial()`: that returns a connection that exists already, so a closed port would be "verified", and it
 * joins dials to one peer, so a bad address delays a good one. Nothing is negotiated after the handshake, no
 * connection is tracked, and no name is resolved: the addresses are literal by their type.
 *
 * A visit uses the connection after the handshake. The answer does not wait for it; the connection is closed when the
 * visit is over. The visit has its own deadline.
 */
export function dialBack(
  components: DialBackComponents,
  { disabled }: { readonly disabled: readonly Optimization[] },
): Dial {
  const transport = tcp()(components)
  // One static key, and one signature of it, serve all dials.
  const encrypter = patchedNoise(new Set(disabled))(components)
  return async (address, visit) => {
    if (isOwn(address, components.addressManager)) {
      return { fault: 'dial_self' }
    }
    const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)
    const handshake = new HandshakeOnly(encrypter, signal, async (peer) => {
      if (peer.peerId !== components.peerId.toString()) {
        await visit?.(peer)
      }
    })
    const dialled = transport.dial(multiaddr(address), { signal, upgrader: handshake })
    try {
      await Promise.race([dialled, handshake.answered])
    } catch (err) {
      if (handshake.remotePeer === undefined) {
        return { fault: signal.aborted ? 'dial_timeout' : faultOf(err, handshake.connected) }
      }
    }
    // The transport rejects with the error that ends the upgrader, where that error is already known.
    dialled.catch(() => {})
    const remote = handshake.remotePeer!
    return remote.equals(components.peerId) ? { fault: 'dial_self' } : { peerId: remote.toString() }
  }
}

function isOwn(address: string, addressManager: DialBackComponents['addressManager']): boolean {
  return addressManager
    .getAddresses()
    .map((each) => each.toString())
    .some((own) => own === address || own.startsWith(`${address}/`))
}

/** An upgrader that stops once the PeerId is known. The transport closes the socket of an upgrade that throws. */
class HandshakeOnly implements Upgrader {
  remotePeer: PeerId | undefined
  connected = false
  readonly #encrypter: ConnectionEncrypter
  readonly #signal: AbortSignal
  readonly #visit: Visit
  readonly #answered = Promise.withResolvers<void>()

  constructor(encrypter: ConnectionEncrypter, signal: AbortSignal, visit: Visit) {
    this.#encrypter = encrypter
    this.#signal = signal
    this.#visit = visit
  }

  /** Resolves once the PeerId is known; stays pending when the handshake fails. */
  get answered(): Promise<void> {
    return this.#answered.promise
  }

  async upgradeOutbound(connection: MultiaddrConnection): Promise<never> {
    this.connected = true
    const options = { signal: this.#signal, skipStreamMuxerNegotiation: true }
    await multistream.select(connection, this.#encrypter.protocol, options)
    const { remotePeer, connection: secured } = await this.#encrypter.secureOutbound(connection, options)
    this.remotePeer = remotePeer
    this.#answered.resolve()
    await this.#visit(dialledPeer(remotePeer, connection.remoteAddr, secured))
    throw new Error('the handshake is done, and a dial-back needs no more of this connection')
  }

  upgradeInbound(): never {
    throw new Error('a dial-back does not listen')
  }

  createInboundAbortSignal(): never {
    throw new Error('a dial-back does not listen')
  }

  getStreamMuxers() {
    return new Map()
  }

  getConnectionEncrypters() {
    return new Map([[this.#encrypter.protocol, this.#encrypter]])
  }
}

/**
 * For one stream that we open: no keep-alive, and the streams that the remote peer opens are aborted.
 */
const VISIT_MUXER = yamux({ enableKeepAlive: false, maxInboundStreams: 8, maxOutboundStreams: 1 })()

function dialledPeer(remotePeer: PeerId, remoteAddr: DialledPeer['remoteAddr'], secured: MessageStream): DialledPeer {
  return {
    peerId: remotePeer.toString(),
    remoteAddr,
    async newStream(protocol, options) {
      await multistream.select(secured, VISIT_MUXER.protocol, options)
      const muxer = VISIT_MUXER.createStreamMuxer(secured)
      muxer.addEventListener('stream', ({ detail }) => detail.abort(new Error('a dial-back serves nothing')))
      const stream = await muxer.createStream(options)
      stream.protocol = await multistream.select(stream, protocol, options)
      return stream
    },
  }
}

function faultOf(err: unknown, connected: boolean): ProofFault {
  if (connected) {
    return 'dial_not_libp2p'
  }
  switch ((err as NodeJS.ErrnoException | null)?.code) {
    // This machine has no socket to spare: it says nothing about the peer.
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EADDRNOTAVAIL':
      return 'dial_busy'
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'dial_refused'
    case 'ETIMEDOUT':
      return 'dial_timeout'
    default:
      return 'dial_unreachable'
  }
}
