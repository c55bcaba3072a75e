import { setTimeout as delay } from 'node:timers/promises'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, type RawPeer, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import type { Victim } from './victim.ts'

const READERS = 500
/** Of them so many read not even their socket, and grant all the window there is; the rest grants none. */
const DEAF = 50
const NETWORK = 'slow'

/** The node has to be one that lists what registers, so that its answers are long. */
export const SLOW_READER_ARGS = ['--listing', 'registered'] as const

/** Peers that ask for the longest answer and never read it. */
export async function slowReaders(victim: Victim): Promise<Figure[]> {
  const peers: RawPeer[] = []
  for (let i = 0; i < READERS; i += 25) {
    const some = Array.from({ length: 25 }, () => rawPeer(victim.target))
    peers.push(...(await Promise.all(some)))
  }
  await Promise.all(peers.map(register))
  const longest = await longestAnswer(peers[0]!)
  const before = await victim.rss()
  const closed: number[] = []
  const attack = Promise.all(peers.map((peer, i) => readNothing(peer, i < DEAF, closed)))
  const peak = await victim.peakRss(attack)
  return [
    atLeast('slow readers', 'longest answer', longest / 1024, 256, 'KiB'),
    atMost('slow readers', `memory grown by ${READERS} of them`, peak - before, 100, 'MB'),
    atLeast('slow readers', 'closed', closed.length, READERS),
    atMost('slow readers', 'ms until it is closed, most', Math.max(...closed), 10_000, 'ms'),
  ]
}

async function register(peer: RawPeer): Promise<void> {
  const addresses = Array.from({ length: 8 }, (_, i) => `/ip4/127.0.0.1/tcp/${50_000 + i}`)
  await exchange(peer, 1, { addresses, network: NETWORK })
}

async function longestAnswer(peer: RawPeer): Promise<number> {
  // Its window is not granted again, so that no more than 256 KiB come: what stands there is what waits to be sent.
  return await exchange(peer, 3, { network: NETWORK, limit: 1000 })
}

async function exchange(peer: RawPeer, id: number, request: object): Promise<number> {
  const line = Buffer.from(`${JSON.stringify(request)}\n`)
  peer.send(
    Buffer.concat([
      frame(DATA, SYN, id, ASKS_BOOTSTRAP),
      frame(WINDOW_UPDATE, 0, id, 1 << 20),
      frame(DATA, 0, id, line),
      frame(WINDOW_UPDATE, FIN, id),
    ]),
  )
  await peer.until(() => peer.closed || peer.ended(id) !== 'open', 20_000)
  return peer.received(id).length
}

/** Asks for the longest answer and takes nothing of it. */
async function readNothing(peer: RawPeer, deaf: boolean, closed: number[]): Promise<void> {
  const id = 11
  const line = Buffer.from(`${JSON.stringify({ network: NETWORK, limit: 1000 })}\n`)
  const started = performance.now()
  const window = deaf ? [frame(WINDOW_UPDATE, 0, id, 2 ** 31)] : []
  peer.send(Buffer.concat([frame(DATA, SYN, id, ASKS_BOOTSTRAP), ...window, frame(DATA, 0, id, line)]))
  if (deaf) {
    await delay(50)
    // Nothing is taken from the socket from here on; whether it is still there shows when it is written to.
    peer.socket.pause()
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
