import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, type RawPeer, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import { honestNewcomers, inNamespace, newcomersServed } from './newcomers.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'
import { Victim } from './victim.ts'

/** Streams of a connection; libp2p resets more of one protocol. */
const STREAMS = 8
/** Connections of an address; the node refuses more. */
const CONNECTIONS_OF_IP = 8
/** A stream that ended is opened again this long after it was opened: before its 5 s are over, within all budgets. */
const AGAIN_MS = 4000
/** Honest callers that connected before it. */
const BEFORE = 12
/** Their numbers, behind those of the newcomers. */
const FIRST_BEFORE = 5000

interface Attack {
  readonly name: string
  readonly addresses: number
  readonly at: string
  readonly ipOf: (i: number) => string
  /** Where the honest callers come from that connected before. */
  readonly honestIp: (i: number) => string
}

const V4 = {
  at: '/ip4/45.1.0.1',
  ipOf: (i: number) => `45.${20 + (Math.floor(i / 8) >> 6)}.${(Math.floor(i / 8) & 63) + 1}.${1 + (i % 8)}`,
  honestIp: (i: number) => `45.${100 + (i % 100)}.${Math.floor(i / 100)}.1`,
}
const V6 = {
  at: '/ip6/2a00:1::1',
  // Eight /56 of each /48, all in one /32.
  ipOf: (i: number) => `2a00:5:${(Math.floor(i / 8) + 1).toString(16)}:${((i % 8) + 1).toString(16)}00::1`,
  honestIp: (i: number) => `2a00:${(0x100 + i).toString(16)}::1`,
}

/** 600 connections with 8 silent streams each: from 75 addresses, and from one IPv6 /32. */
export async function silentStreams(): Promise<Figure[]> {
  return await inNamespace('silent streams', import.meta.url, '75')
}

/** The same from ten times as many IPv4 addresses, and as many connections as they may have: more than the table takes. */
export async function moreSilentStreams(): Promise<Figure[]> {
  return await inNamespace('silent streams', import.meta.url, '750')
}

async function attack({ name, addresses, at, ipOf, honestIp }: Attack): Promise<Figure[]> {
  const victim = await Victim.start({ at: [at] })
  const { target } = victim
  const before = await Promise.all(
    Array.from({ length: BEFORE }, (_, i) => rawPeer(target, { from: honestIp(FIRST_BEFORE + i) })),
  )
  const over = new AbortController()
  const attackers = await connectAll(target, addresses, ipOf)
  const holding = attackers.map((peer) => holdStreams(peer, over.signal))
  await delay(AGAIN_MS)
  const mark = victim.mark
  const [exchanges, connected] = await Promise.all([
    honestNewcomers(target, at.startsWith('/ip6') ? 'v6' : 'v4'),
    askEach(before),
  ])
  const summaries = await victim.summariesSince(mark)
  over.abort()
  const opened = (await Promise.all(holding)).reduce((sum, each) => sum + each, 0)
  const left = attackers.filter(({ closed }) => !closed).length
  for (const peer of [...attackers, ...before]) {
    peer.hangUp()
  }
  const survived = victim.alive
  const { code, stderr } = await victim.stop()
  const most = (field: string) => Math.max(0, ...summaries.map((line) => Number(line[field])))
  const sum = (field: string) => summaries.reduce((total, line) => total + Number(line[field]), 0)
  const sumOf = (field: string) =>
    summaries.flatMap((line) => Object.values(line[field] as Record<string, number>)).reduce((a, b) => a + b, 0)
  return [
    ...newcomersServed(name, exchanges, 2000),
    atLeast(name, 'callers connected before, answered', connected, BEFORE),
    // Seen in the log: what was refused and what gave way, and that requests did not come.
    atLeast(name, 'streams without room or that gave way, in the log', sum('noRoom') + sum('gaveWay'), 1),
    atLeast(name, 'streams without a request, in the log', sum('silent'), 1),
    shown(name, 'exchanges open, most', most('exchanges')),
    shown(name, 'attacking connections', attackers.length),
    addresses < 100
      ? atLeast(name, 'of them open at the end', left, attackers.length)
      : shown(name, 'of them open at the end', left),
    shown(name, 'streams that they opened', opened),
    shown(name, 'connections refused meanwhile', sumOf('refusedConnections')),
    shown(name, 'connections hung up on meanwhile', sumOf('hungUp')),
    shown(name, 'event loop late, p99', most('loopP99'), 'ms'),
    atMost(name, 'crashes, and stops that were not clean', survived && code === 0 && stderr === '' ? 0 : 1, 0),
  ]
}

/** As many connections as the addresses may have, some at a time. Those that are refused are left out. */
async function connectAll(target: string, addresses: number, ipOf: (i: number) => string): Promise<RawPeer[]> {
  const froms = Array.from({ length: addresses * CONNECTIONS_OF_IP }, (_, i) => ipOf(i % addresses))
  const peers: RawPeer[] = []
  while (froms.length > 0) {
    const calls = froms.splice(0, 20).map((from) => rawPeer(target, { from }))
    for (const call of await Promise.allSettled(calls)) {
      if (call.status === 'fulfilled') {
        peers.push(call.value)
      }
    }
  }
  return peers
}

/** Keeps all streams of a connection open and silent. Resolves to how many it opened. */
async function holdStreams(peer: RawPeer, over: AbortSignal): Promise<number> {
  let next = 1
  const ids = new Map<number, number>()
  while (!over.aborted && !peer.closed) {
    const now = performance.now()
    for (const [id, openedAt] of ids) {
      if (peer.ended(id) !== 'open' && now - openedAt >= AGAIN_MS) {
        ids.delete(id)
      }
    }
    const frames: Buffer[] = []
    while (ids.size < STREAMS) {
      frames.push(frame(DATA, SYN, next, ASKS_BOOTSTRAP))
      ids.set(next, now)
      next += 2
    }
    if (frames.length > 0) {
      peer.send(Buffer.concat(frames))
    }
    await delay(100, undefined, { signal: over }).catch(() => {})
  }
  return (next - 1) / 2
}

/** One request on each connection that was there before. */
async function askEach(peers: readonly RawPeer[]): Promise<number> {
  const answered = await Promise.all(
    peers.map(async (peer) => {
      const line = Buffer.from('{"network":"public"}\n')
      peer.send(
        Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(DATA, 0, 1, line), frame(WINDOW_UPDATE, FIN, 1)]),
      )
      await peer.until(() => peer.closed || peer.ended(1) !== 'open')
      return peer.received(1).length > ASKS_BOOTSTRAP.length
    }),
  )
  return answered.filter(Boolean).length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const addresses = Number(process.argv[2])
  const attacks: Attack[] = [
    { name: `silent, ${addresses} IPv4`, addresses, ...V4 },
    ...(addresses < 100 ? [{ name: 'silent, one /32', addresses, ...V6 }] : []),
  ]
  for (const each of attacks) {
    for (const figure of await attack(each)) {
      console.log(JSON.stringify(figure))
    }
  }
  process.exit()
}
