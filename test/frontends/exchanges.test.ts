import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Connection, Logger, Stream, StreamHandler } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { streamPair } from '@libp2p/utils'
import { BootstrapFrontend } from '../../src/frontends/bootstrap/bootstrap.ts'
import { Exchanges, MAX_EXCHANGES } from '../../src/frontends/exchanges/exchanges.ts'
import { ReaderForms } from '../../src/frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../../src/frontends/rendezvous/rendezvous.ts'
import type { PointApi, RecordEntry } from '../../src/point/point-api.ts'
import { RequestLimits } from '../../src/policy/request-limits.ts'
import { MAX_UNREAD_BYTES } from '../../src/streams/unread-answers.ts'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'
import { encodeMessage } from '../../src/wire/rendezvous-codec.ts'
import { RENDEZVOUS_PROTOCOL } from '../../src/wire/rendezvous-messages.ts'
import { until } from '../support/wait.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
/** Of the records of one long answer. */
const LONG_BYTES = 480_000
const CONNECTION = {
  remotePeer: { toString: () => PEER },
  remoteAddr: { toString: () => '/ip4/127.0.0.1/tcp/4001' },
} as unknown as Connection

it('4096 exchanges at a time are served over both protocols together, and a stop ends them', async () => {
  const { exchanges, handlers, stop } = await frontends({})
  const protocols = [BOOTSTRAP_PROTOCOL, RENDEZVOUS_PROTOCOL]
  const served: Array<Promise<void>> = []
  for (let i = 0; i < MAX_EXCHANGES; i++) {
    served.push(run(handlers, protocols[i % 2]!, (await streamPair())[0]))
  }
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
      return { entries, end: { upTo: 1, turn: undefined } }
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

function run(handlers: Map<string, StreamHandler>, protocol: string, stream: Stream): Promise<void> {
  return handlers.get(protocol)!(stream, CONNECTION) as Promise<void>
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
