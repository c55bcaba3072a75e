import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MessageStream, MultiaddrConnection, PeerId, PrivateKey, StreamMessageEvent } from '@libp2p/interface'
import * as multistream from '@libp2p/multistream-select'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { silentLogger } from '../../src/host/patches/silent-logger.ts'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'
import { RENDEZVOUS_PROTOCOL } from '../../src/wire/rendezvous-messages.ts'

export const DATA = 0
export const WINDOW_UPDATE = 1
export const PING = 2
export const GO_AWAY = 3
export const SYN = 1
export const ACK = 2
export const FIN = 4
export const RST = 8

/** A yamux frame. `length` is what the header says, true or not. */
export function frame(
  type: number,
  flags: number,
  id: number,
  body: Uint8Array | number = 0,
  length: number = typeof body === 'number' ? body : body.byteLength,
): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt8(type, 1)
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(id, 4)
  header.writeUInt32BE(length, 8)
  return typeof body === 'number' ? header : Buffer.concat([header, body])
}

/** A multistream-select message: its length, the text, a line feed. */
export function negotiate(...protocols: string[]): Buffer {
  return Buffer.concat(
    protocols.map((protocol) => {
      const line = Buffer.from(`${protocol}\n`)
      return Buffer.concat([varint(line.length), line])
    }),
  )
}

/** What a stream begins with that wants the bootstrap protocol. */
export const ASKS_BOOTSTRAP = negotiate('/multistream/1.0.0', BOOTSTRAP_PROTOCOL)
/** The same for the rendezvous protocol. */
export const ASKS_RENDEZVOUS = negotiate('/multistream/1.0.0', RENDEZVOUS_PROTOCOL)

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.of((value & 127) | 128, value >> 7)
}

export interface RawPeerInit {
  /** Where to call from. */
  readonly from?: string
  readonly privateKey?: PrivateKey
  /** Ms, for connect and handshakes. */
  readonly timeout?: number
}

/** A peer whose yamux frames are written by hand, over a real Noise connection. */
export interface RawPeer {
  readonly peerId: PeerId
  readonly plain: MessageStream
  readonly socket: MultiaddrConnection
  /** Bytes to the other side's yamux; false when they have to wait. Nothing when the connection is gone. */
  send(bytes: Uint8Array): boolean
  /** What came back on a stream so far. */
  received(id: number): Buffer
  /** Whether the other side ended a stream, in order or not. */
  ended(id: number): 'open' | 'closed' | 'reset'
  /** Whether the ping of this number was answered. */
  ponged(id: number): boolean
  readonly closed: boolean
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
  /** Waits until something is so; false when it is not in time (ms). Looked at after each chunk, and at the end. */
  until(condition: () => boolean, timeout?: number): Promise<boolean>
  hangUp(): void
}

/** Connects up to yamux. */
export async function rawPeer(
  target: string,
  { from, privateKey, timeout = 10_000 }: RawPeerInit = {},
): Promise<RawPeer> {
  const key = privateKey ?? (await generateKeyPair('Ed25519'))
  const logger = silentLogger()
  const components = { privateKey: key, peerId: peerIdFromPrivateKey(key), logger, upgrader: NO_MUXERS }
  // Not AbortSignal.timeout: the socket keeps its signal, and would be closed by it once it is connected.
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error('no connection in time')), timeout)
  const { signal } = late
  let connected: { plain: MessageStream; socket: MultiaddrConnection } | undefined
  const upgrader = {
    ...NO_MUXERS,
    async upgradeOutbound(socket: MultiaddrConnection) {
      await multistream.select(socket, '/noise', { signal })
      const options = { signal, skipStreamMuxerNegotiation: true }
      const { connection } = await noise()(components as never).secureOutbound(socket, options)
      await multistream.select(connection, '/yamux/1.0.0', { signal })
      connected = { plain: connection, socket }
      return connection
    },
  }
  const transport = tcp(from === undefined ? {} : { dialOpts: { localAddress: from } as object })(components)
  try {
    await transport.dial(multiaddr(target.replace(/\/p2p\/.*/, '')), { signal, upgrader } as never)
  } finally {
    clearTimeout(timer)
  }
  return watch(components.peerId, connected!.plain, connected!.socket)
}

const NO_MUXERS = { getStreamMuxers: () => new Map(), getConnectionEncrypters: () => new Map() }

function watch(peerId: PeerId, plain: MessageStream, socket: MultiaddrConnection): RawPeer {
  const streams = new Map<number, { chunks: Buffer[]; ended: 'open' | 'closed' | 'reset' }>()
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) {
      look()
    }
  }
  let pending = Buffer.alloc(0)
  const pongs = new Set<number>()
  const peer = {
    peerId,
    plain,
    socket,
    closed: false,
    ponged: (id: number) => pongs.has(id),
    gone,
    until: (condition: () => boolean, timeout = 10_000) =>
      new Promise<boolean>((settle) => {
        const end = (so: boolean) => {
          waiting.delete(look)
          clearTimeout(timer)
          settle(so)
        }
        const look = () => condition() && end(true)
        const timer = setTimeout(end, timeout, false)
        waiting.add(look)
        look()
      }),
    send: (bytes: Uint8Array) => (peer.closed || plain.status !== 'open' ? false : plain.send(bytes)),
    received: (id: number) => Buffer.concat(streams.get(id)?.chunks ?? []),
    ended: (id: number) => streams.get(id)?.ended ?? 'open',
    hangUp: () => socket.abort(new Error('enough')),
  }
  plain.addEventListener('message', ({ data }: StreamMessageEvent) => {
    pending = Buffer.concat([pending, data.subarray()])
    while (pending.length >= 12) {
      const type = pending[1]
      const flags = pending.readUInt16BE(2)
      const body = type === DATA ? pending.readUInt32BE(8) : 0
      if (pending.length < 12 + body) {
        break
      }
      const id = pending.readUInt32BE(4)
      if (type === PING && flags === ACK) {
        pongs.add(pending.readUInt32BE(8))
      }
      const stream = streams.get(id) ?? { chunks: [], ended: 'open' }
      streams.set(id, stream)
      stream.chunks.push(Buffer.from(pending.subarray(12, 12 + body)))
      stream.ended = flags & RST ? 'reset' : flags & FIN && stream.ended === 'open' ? 'closed' : stream.ended
      pending = pending.subarray(12 + body)
    }
    changed()
  })
  socket.addEventListener('close', () => {
    peer.closed = true
    changed()
    resolve()
  })
  return peer
}
