import { setTimeout as delay } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { sealRecord } from '../../src/peer/record.ts'
import { encodeVarint } from '../../src/wire/protobuf.ts'
import { encodeMessage } from '../../src/wire/rendezvous-codec.ts'
import type { RendezvousMessage } from '../../src/wire/rendezvous-messages.ts'
import {
  ASKS_BOOTSTRAP,
  ASKS_RENDEZVOUS,
  DATA,
  FIN,
  frame,
  type RawPeer,
  rawPeer,
  SYN,
  WINDOW_UPDATE,
} from '../support/raw-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import type { Victim } from './victim.ts'

const READERS = 500
/** How many of them do not even read their socket, and grant the largest window; the others grant none. */
const DEAF = 50
const NETWORK = 'slow'

/** The node has to be one that lists what registers, so that its answers are long. */
export const SLOW_READER_ARGS = ['--listing', 'registered'] as const

/** How the peers register, and how they ask for the longest answer. */
interface Protocol {
  readonly name: string
  readonly preface: Uint8Array
  readonly register: (key: PrivateKey) => Promise<Uint8Array>
  readonly ask: Uint8Array
}

const BOOTSTRAP: Protocol = {
  name: 'slow readers',
  preface: ASKS_BOOTSTRAP,
  register: async () => {
    const addresses = Array.from({ length: 8 }, (_, i) => `/ip4/127.0.0.1/tcp/${50_000 + i}`)
    return line({ addresses, network: NETWORK })
  },
  ask: line({ network: NETWORK, limit: 1000 }),
}

const RENDEZVOUS: Protocol = {
  name: 'slow rendezvous readers',
  preface: ASKS_RENDEZVOUS,
  register: async (key) => {
    // The longest record that keeps to the rules, so that 500 of them are a long answer.
    const id = peerIdFromPrivateKey(key).toString()
    const addresses = Array.from({ length: 16 }, (_, i) => `/ip4/127.0.0.1/tcp/${50_000 + i}/p2p/${id}`)
    const signedPeerRecord = await sealRecord(key, { addresses, seq: 1n, form: 'standard' })
    return message({ type: 'REGISTER', ns: NETWORK, signedPeerRecord, ttlMs: undefined })
  },
  ask: message({ type: 'DISCOVER', ns: NETWORK, limit: undefined, cookie: undefined }),
}

/** Peers that ask for the longest answer and never read it, through `/bootstrap/1.0.0`. */
export async function slowReaders(victim: Victim): Promise<Figure[]> {
  return await readersOf(BOOTSTRAP, victim)
}

/** The same through `/rendezvous/1.0.0`. */
export async function slowRendezvousReaders(victim: Victim): Promise<Figure[]> {
  return await readersOf(RENDEZVOUS, victim)
}

async function readersOf(protocol: Protocol, victim: Victim): Promise<Figure[]> {
  const { name } = protocol
  const peers: RawPeer[] = []
  const keys: PrivateKey[] = []
  for (let i = 0; i < READERS; i += 25) {
    const some = await Promise.all(Array.from({ length: 25 }, () => generateKeyPair('Ed25519')))
    keys.push(...some)
    peers.push(...(await Promise.all(some.map((privateKey) => rawPeer(victim.target, { privateKey })))))
  }
  // All at once, so that what the attack adds is not what any crowd takes.
  await Promise.all(peers.map(async (peer, i) => exchange(peer, protocol, 1, await protocol.register(keys[i]!))))
  // Its window is not granted again, so that no more than 256 KiB come: the rest waits in the node.
  const longest = await exchange(peers[0]!, protocol, 3, protocol.ask)
  const before = await victim.rss()
  const closed: number[] = []
  const attack = Promise.all(peers.map((peer, i) => readNothing(peer, protocol, i < DEAF, closed)))
  const peak = await victim.peakRss(attack)
  const left = Number((await victim.summariesSince(victim.mark)).at(-1)?.exchanges)
  return [
    atLeast(name, 'longest answer', longest / 1024, 256, 'KiB'),
    // 40 to 111 MB were seen: three times the budget of 12 MiB, and what V8 has not collected. All answers are 250 MB.
    atMost(name, `memory grown by ${READERS} of them`, peak - before, 150, 'MB'),
    // The answer to one that is deaf lies in the buffers of the system: where those are small, it is hung up on.
    atLeast(name, 'streams ended, of those that read their socket', closed.length, READERS - DEAF),
    atMost(name, 'exchanges left open', left, 0),
    atMost(name, 'ms until one is ended, most', Math.max(...closed), 10_000, 'ms'),
  ]
}

function line(request: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(request)}\n`)
}

function message(request: RendezvousMessage): Uint8Array {
  const bytes = encodeMessage(request)
  return Buffer.concat([encodeVarint(bytes.length), bytes])
}

/** One request on a stream of its own. Returns how many bytes came back. */
async function exchange(peer: RawPeer, { preface }: Protocol, id: number, request: Uint8Array): Promise<number> {
  peer.send(
    Buffer.concat([
      frame(DATA, SYN, id, preface),
      frame(WINDOW_UPDATE, 0, id, 1 << 20),
      frame(DATA, 0, id, request),
      frame(WINDOW_UPDATE, FIN, id),
    ]),
  )
  await peer.until(() => peer.closed || peer.ended(id) !== 'open', 20_000)
  return peer.received(id).length
}

/** Asks for the longest answer and takes nothing of it. */
async function readNothing(peer: RawPeer, { preface, ask }: Protocol, deaf: boolean, closed: number[]): Promise<void> {
  const id = 11
  const started = performance.now()
  const window = deaf ? [frame(WINDOW_UPDATE, 0, id, 2 ** 31)] : []
  peer.send(Buffer.concat([frame(DATA, SYN, id, preface), ...window, frame(DATA, 0, id, ask)]))
  if (deaf) {
    await delay(50)
    // Nothing is taken from the socket from here on; whether it is still there shows when it is written to.
    if (!peer.closed) {
      peer.socket.pause()
    }
  }
  const over = () => peer.closed || peer.ended(id) !== 'open'
  while (!over() && performance.now() - started < 12_000) {
    await delay(100)
    if (deaf) {
      peer.send(frame(WINDOW_UPDATE, 0, 1, 1))
    }
  }
  if (over()) {
    closed.push(performance.now() - started)
  }
  peer.hangUp()
}
