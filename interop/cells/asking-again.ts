import assert from 'node:assert/strict'
import { on } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import { createLibp2p, type Libp2p } from 'libp2p'
import { freePort, startExample } from '../example.ts'
import type { Command } from '../toolchains.ts'

/** The rule of docs/protocol.md, "When to ask again". */
const PAUSES_S = [0.5, 1, 2, 4]
const JITTER = 0.2
const TARGET = 8

const RETRY_AFTER_S = 3
/** How late a process may be that shares the machine with compilers. The lower bounds are strict. */
const LATE_S = 5
const START_TIMEOUT_MS = 60_000
/** A node that still lacked peers would ask three times meanwhile. */
const QUIET_MS = 6000
const QUIET_EXCHANGES = 1

/** First it is told when to come again, and then, for ever, that there are no peers. */
export async function asksAgain(program: Command): Promise<string> {
  await using scope = new AsyncDisposableStack()
  const bootstrap = await startAnswering(scope, (exchange) =>
    exchange === 0 ? { error: { code: 'rate_limited', message: 'later', retryAfter: RETRY_AFTER_S } } : { peers: [] },
  )
  startExample(scope, program, bootstrap.multiaddr, 'rule', await freePort())
  await bootstrap.exchanges(PAUSES_S.length + 1)

  const pauses = bootstrap.times.slice(1).map(({ asked }, n) => (asked - bootstrap.times[n]!.answered) / 1000)
  // A refusal is a step of the back-off: what follows goes on with the second pause.
  const least = PAUSES_S.map((pause, n) => (n === 0 ? RETRY_AFTER_S : pause * (1 - JITTER)))
  const most = PAUSES_S.map((pause, n) => (n === 0 ? RETRY_AFTER_S : pause * (1 + JITTER)) + LATE_S)
  for (const [n, pause] of pauses.entries()) {
    assert.ok(pause >= least[n]! && pause <= most[n]!, `pause ${n + 1} of ${pauses.map((each) => each.toFixed(2))} s`)
  }
  return pauses.map((pause) => `${pause.toFixed(1)} s`).join(', ')
}

export async function isQuietWithEnough(program: Command): Promise<string> {
  await using scope = new AsyncDisposableStack()
  const peers = await Promise.all(Array.from({ length: TARGET }, () => startPeer(scope)))
  const named = peers.map((peer) => ({ address: peer.getMultiaddrs()[0]!.toString() }))
  const bootstrap = await startAnswering(scope, () => ({ peers: named }))
  const node = startExample(scope, program, bootstrap.multiaddr, 'rule', await freePort())

  await node.connected(TARGET, START_TIMEOUT_MS)
  const before = bootstrap.times.length
  await delay(QUIET_MS)
  const meanwhile = bootstrap.times.length - before
  assert.ok(meanwhile <= QUIET_EXCHANGES, `${meanwhile} exchanges in ${QUIET_MS / 1000} s with all its peers`)

  const lost = performance.now()
  await Promise.all(peers.slice(0, TARGET / 2).map((peer) => peer.stop()))
  await bootstrap.exchanges(before + meanwhile + 1)
  return `again ${((performance.now() - lost) / 1000).toFixed(1)} s after it lost half of them`
}

interface Answering {
  readonly multiaddr: string
  /** When each exchange was asked and answered, as `performance.now()`. */
  readonly times: ReadonlyArray<{ readonly asked: number; readonly answered: number }>
  /** Resolves when there were so many. */
  exchanges(count: number): Promise<void>
}

/** A bootstrap that answers what `answer` says to the n-th exchange, from 0. */
async function startAnswering(scope: AsyncDisposableStack, answer: (exchange: number) => object): Promise<Answering> {
  const libp2p = await startPeer(scope)
  const times: Array<{ asked: number; answered: number }> = []
  const events = new EventTarget()
  await libp2p.handle('/bootstrap/1.0.0', async (stream) => {
    const asked = performance.now()
    const bytes = byteStream(stream)
    while ((await bytes.read()) !== null) {
      // What it asks is not what this is about.
    }
    stream.send(Buffer.from(`${JSON.stringify(answer(times.length))}\n`))
    times.push({ asked, answered: performance.now() })
    events.dispatchEvent(new Event('exchange'))
    await stream.close()
  })
  return {
    multiaddr: libp2p.getMultiaddrs()[0]!.toString(),
    times,
    async exchanges(count) {
      const signal = AbortSignal.timeout(START_TIMEOUT_MS)
      const heard = on(events, 'exchange', { signal })
      while (times.length < count) {
        await heard.next()
      }
      await heard.return?.()
    },
  }
}

async function startPeer(scope: AsyncDisposableStack): Promise<Libp2p> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  scope.defer(async () => libp2p.stop())
  return libp2p
}
