import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Connection, Logger, Stream, StreamHandler } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { byteStream, streamPair } from '@libp2p/utils'
import { BootstrapFrontend } from '../../../src/frontends/bootstrap/bootstrap.ts'
import { Exchanges } from '../../../src/frontends/exchanges/exchanges.ts'
import { MAX_EXCHANGES, MAX_EXCHANGES_OF_IP } from '../../../src/frontends/exchanges/places.ts'
import { ReaderForms } from '../../../src/frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../../../src/frontends/rendezvous/rendezvous.ts'
import type { PointApi, RecordEntry } from '../../../src/point/point-api.ts'
import { LONGEST_WAIT_MS, REQUEST_LIMITS, RequestLimits } from '../../../src/policy/request-limits.ts'
import { MAX_UNREAD_BYTES } from '../../../src/streams/unread-answers.ts'
import { BOOTSTRAP_PROTOCOL } from '../../../src/wire/bootstrap-codec.ts'
import { encodeMessage } from '../../../src/wire/rendezvous-codec.ts'
import { RENDEZVOUS_PROTOCOL } from '../../../src/wire/rendezvous-messages.ts'
import { until } from '../../support/wait.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const OTHER_PEER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
/** Of the records of one long answer. */
const LONG_BYTES = 480_000
const CONNECTION = connectionOf('127.0.0.1')

it('4096 exchanges at a time are served over both protocols together, and a stop ends them', async () => {
  const { exchanges, handlers, stop } = await frontends({})
  const protocols = [BOOTSTRAP_PROTOCOL, RENDEZVOUS_PROTOCOL]
  // All streams first: the more places are taken, the less time a silent one has.
  const streams = await Promise.all(Array.from({ length: MAX_EXCHANGES }, async () => (await streamPair())[0]))
  const served = streams.map((stream, i) => run(handlers, protocols[i % 2]!, stream))
  assert.equal(exchanges.status.open, MAX_EXCHANGES)
  for (const protocol of protocols) {
    const [beyond] = await streamPair()
    await assert.rejects(run(handlers, protocol, beyond), { message: 'too many exchanges at a time' })
  }
  const settled = Promise.allSettled(served)
  await stop(1)
  const results = await settled
  assert.ok(results.every(({ status }) => status === 'rejected'))
  assert.equal(exchanges.status.open, 0)
})

it('a silent stream gives way to one of a less crowded peer, and is reset and counted', async () => {
  const { exchanges, handlers, stop, counted } = await frontends({})
  const crowd: Stream[] = []
  const served: Array<Promise<void>> = []
  for (let i = 0; i < MAX_EXCHANGES_OF_IP; i++) {
    const [near] = await streamPair()
    crowd.push(near)
    served.push(run(handlers, BOOTSTRAP_PROTOCOL, near, connectionOf('45.1.1.1')))
  }
  const settled = Promise.allSettled(served)
  const [refused] = await streamPair()
  await assert.rejects(run(handlers, BOOTSTRAP_PROTOCOL, refused, connectionOf('45.1.1.1')))
  const [near, far] = await streamPair()
  const newcomer = run(handlers, RENDEZVOUS_PROTOCOL, near, connectionOf('45.1.1.1', OTHER_PEER))
  await until(() => crowd[0]!.status === 'aborted', 'the longest silent one is reset')
  assert.deepEqual(exchanges.status, { open: MAX_EXCHANGES_OF_IP, silent: MAX_EXCHANGES_OF_IP, unreadBytes: 0 })
  assert.equal(crowd.filter(({ status }) => status === 'open').length, MAX_EXCHANGES_OF_IP - 1)
  await far.close()
  await newcomer
  await stop(1)
  await settled
  assert.deepEqual(counted.slice(0, 2), ['noRoom', 'gaveWay'])
  assert.equal(counted.filter((event) => event === 'silent').length, MAX_EXCHANGES_OF_IP + 1)
})

it('a stream that brings no request costs a turn', async () => {
  const { handlers, stop } = await frontends({ discover: async () => [] })
  // As many as may come at once, and those that would wait for their turn.
  const most = REQUEST_LIMITS.peer.burst + (LONGEST_WAIT_MS / 1000) * REQUEST_LIMITS.peer.perSecond
  for (let i = 0; i <= most; i++) {
    const [near, far] = await streamPair()
    const running = run(handlers, BOOTSTRAP_PROTOCOL, near)
    far.abort(new Error('no request'))
    await running.catch(() => {})
  }
  const [near, far] = await streamPair()
  const answer = new Promise<string>((resolve) => {
    far.addEventListener('message', ({ data }) => resolve(Buffer.from(data.subarray()).toString()), { once: true })
  })
  const running = run(handlers, BOOTSTRAP_PROTOCOL, near)
  far.send(Buffer.from('{}\n'))
  assert.match(await answer, /"code":"rate_limited"/)
  await far.close()
  await running
  await stop(1)
})

it('a page of /rendezvous/1.0.0 costs the IP turns by its records, rows and bytes, and the next request waits', async () => {
  const position = { upTo: 1, turn: undefined }
  const entries = Array.from({ length: 1000 }, (): RecordEntry => {
    return { network: 'n', peerId: PEER, envelope: new Uint8Array(230), addresses: [], ttlMs: 60_000, position }
  })
  const { handlers, stop } = await frontends({
    recordForms: async () => ({ own: 'standard', usual: 'standard' }),
    discoverRecords: async () => ({ entries, end: position, walked: 5000 }),
  })
  const discover = encodeMessage({ type: 'DISCOVER', ns: 'n', limit: undefined, cookie: undefined })
  let pages = 0
  for (;;) {
    const [near, far] = await streamPair()
    const bytes = byteStream(far)
    // From a PeerId of its own each: what is limited is the IP.
    const running = run(handlers, RENDEZVOUS_PROTOCOL, near, connectionOf('45.1.1.1', `peer ${pages}`))
    far.send(Buffer.concat([Buffer.of(discover.length), discover]))
    await far.close()
    const chunks: Uint8Array[] = []
    for (let chunk = await bytes.read(); chunk !== null; chunk = await bytes.read()) {
      chunks.push(chunk.subarray())
    }
    await running
    const answer = Buffer.concat(chunks)
    if (answer.length < 10_000) {
      assert.match(answer.toString(), /too many requests/)
      break
    }
    pages++
  }
  await stop(1)
  // 25 turns for the records, 2.5 for the rows, 7.4 for 242 kB, and one for the request.
  const early = (LONGEST_WAIT_MS / 1000) * REQUEST_LIMITS.ip.perSecond
  assert.equal(pages, 1 + Math.floor((REQUEST_LIMITS.ip.burst + early - 1) / 35))
})

it('answers of /rendezvous/1.0.0 that are not read keep to the budget: the longest goes', async () => {
  const entries = Array.from({ length: LONG_BYTES / 4000 }, (): RecordEntry => {
    const position = { upTo: 1, turn: undefined }
    return { network: 'n', peerId: PEER, envelope: new Uint8Array(4000), addresses: [], ttlMs: 60_000, position }
  })
  const asked = Promise.withResolvers<void>()
  const readers = 40
  let asking = 0
  const { exchanges, handlers, stop } = await frontends({
    recordForms: async () => ({ own: 'standard', usual: 'standard' }),
    discoverRecords: async () => {
      if (++asking === readers) {
        asked.resolve()
      }
      await asked.promise
      return { entries, end: { upTo: 1, turn: undefined }, walked: entries.length }
    },
  })
  let givenUp = 0
  const served: Array<Promise<void>> = []
  const discover = encodeMessage({ type: 'DISCOVER', ns: 'n', limit: undefined, cookie: undefined })
  for (let i = 0; i < readers; i++) {
    const [near, far] = await streamPair({ capacity: 1 })
    // A stream that its write deadline ends is not one that the budget gave up.
    const abort = near.abort.bind(near)
    near.abort = (err) => {
      givenUp += /its memory is needed/.test(err.message) ? 1 : 0
      abort(err)
    }
    served.push(run(handlers, RENDEZVOUS_PROTOCOL, near))
    far.send(Buffer.concat([Buffer.of(discover.length), discover]))
    far.pause()
  }
  const settled = Promise.allSettled(served)
  await asked.promise
  const most = Math.floor(MAX_UNREAD_BYTES / LONG_BYTES)
  await until(() => givenUp >= readers - most, `${readers - most} answers were given up`)
  await stop(1)
  await settled
  assert.equal(givenUp, readers - most, 'as many as fit were kept')
  assert.equal(exchanges.status.unreadBytes, 0)
})

it('a request takes its share of the loop over both protocols, and a bug is logged and answered', async () => {
  const errors: unknown[] = []
  let shares = 0
  const { handlers, stop, counted } = await frontends(
    { discover: () => Promise.reject(new Error('a bug')), recordForms: () => Promise.reject(new Error('a bug')) },
    { onError: (err) => errors.push(err), takeShare: async () => void shares++ },
  )
  for (const protocol of [BOOTSTRAP_PROTOCOL, RENDEZVOUS_PROTOCOL]) {
    const [near, far] = await streamPair()
    const message = encodeMessage({ type: 'DISCOVER', ns: 'n', limit: undefined, cookie: undefined })
    const request =
      protocol === BOOTSTRAP_PROTOCOL ? Buffer.from('{}\n') : Buffer.concat([Buffer.of(message.length), message])
    const answer = new Promise<string>((resolve) => {
      far.addEventListener('message', ({ data }) => resolve(Buffer.from(data.subarray()).toString()), { once: true })
    })
    far.send(request)
    const running = run(handlers, protocol, near)
    assert.match(await answer, /could not answer; its log says why/)
    await far.close()
    await running
  }
  await stop(1)
  assert.equal(shares, 2)
  assert.equal(errors.length, 2)
  assert.deepEqual(counted, ['requests', 'errors', 'requests', 'errors'])
})

function run(
  handlers: Map<string, StreamHandler>,
  protocol: string,
  stream: Stream,
  connection = CONNECTION,
): Promise<void> {
  return handlers.get(protocol)!(stream, connection) as Promise<void>
}

function connectionOf(ip: string, peerId = PEER): Connection {
  const [remotePeer, remoteAddr] = [peerId, `/ip4/${ip}/tcp/4001`].map((text) => ({ toString: () => text }))
  return { remotePeer, remoteAddr } as unknown as Connection
}

/** Both frontends, started, over a point that the test makes up. */
async function frontends(
  point: Partial<PointApi>,
  {
    onError = () => {},
    takeShare = async () => {},
  }: { readonly onError?: (err: unknown) => void; readonly takeShare?: () => Promise<void> } = {},
) {
  const handlers = new Map<string, StreamHandler>()
  const registrar = {
    handle: async (protocol: string, handler: StreamHandler) => void handlers.set(protocol, handler),
    unhandle: async (protocol: string) => void handlers.delete(protocol),
  } as unknown as Pick<Registrar, 'handle' | 'unhandle'>
  const log = Object.assign(() => {}, { error: (_: string, err: unknown) => onError(err) }) as unknown as Logger
  const counted: string[] = []
  const clock = () => 0
  const exchanges = new Exchanges({
    limits: new RequestLimits(),
    clock,
    takeShare,
    count: (event) => void counted.push(event),
    onCaller: () => {},
  })
  const shared = { registrar, exchanges, point: point as PointApi, log }
  const forms = new ReaderForms(async () => undefined)
  const all = [
    new BootstrapFrontend({ ...shared, legacy: { discover: async () => [] }, siblings: [], clock }),
    new RendezvousFrontend({ ...shared, forms, random: () => 0 }),
  ]
  await Promise.all(all.map((each) => each.start()))
  const stop = async (graceMs: number) => {
    await Promise.all(all.map((each) => each.stop(graceMs)))
  }
  return { exchanges, handlers, stop, counted }
}
