import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { pEvent } from 'p-event'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import { type Store, StoreUnavailableError } from '../../src/store/store.ts'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'
import { knownPeers, storeOf } from '../support/known-peers.ts'
import { addressOf, ask, exchange, startPeer } from '../support/peers.ts'

describe('a stream', () => {
  const now = Date.now()
  let bootstrap: BootstrapPeer
  let at: string
  let peer: Libp2p

  before(async () => {
    bootstrap = createBootstrapPeer({ store: storeOf(knownPeers(1000, { now, addresses: 8, network: 'wide' })) })
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    peer = await startPeer()
  })

  after(async () => {
    await Promise.all([peer.stop(), bootstrap.stop()])
  })

  it('asks by saying nothing', async () => {
    assert.equal(await exchange(peer, at, ''), '[]\n')
    assert.equal(await exchange(peer, at, '\r\n \n'), '[]\n')
  })

  it('may end its request with the half-close, as the original did, or with a line end of either kind', async () => {
    for (const end of ['', '\n', '\r\n']) {
      assert.equal(await exchange(peer, at, `{"limit":1}${end}`), '[]\n')
    }
  })

  it('is answered in order, line by line, while it stays open', async () => {
    const stream = await peer.dialProtocol(multiaddr(at), BOOTSTRAP_PROTOCOL)
    const reader = byteStream(stream)
    const read = async () => Buffer.from((await reader.read())!.subarray()).toString()
    const address = addressOf(peer)
    stream.send(Buffer.from(`${JSON.stringify({ address })}\n`))
    assert.equal(await read(), `[{"address":"${address}/p2p/${peer.peerId}"}]\n`)
    stream.send(Buffer.from('{"ttl":0}\n'))
    assert.equal(await read(), '[]\n')
    await stream.close()
    assert.equal(await reader.read(), null)
  })

  it('carries 16 requests at once, each answered after the one before it', async () => {
    const address = addressOf(peer)
    const pair = `${JSON.stringify({ address })}\n{"ttl":0}\n`
    const answers = (await exchange(peer, at, pair.repeat(8))).split('\n')
    assert.deepEqual(
      answers.slice(0, -1).map((line) => JSON.parse(line).length),
      Array(8).fill([1, 0]).flat(),
    )
  })

  const faults: ReadonlyArray<readonly [code: string, request: string | Uint8Array, answersBefore: number]> = [
    ['invalid_utf8', Uint8Array.of(0xff, 10), 0],
    ['invalid_json', '{"address":\n{}\n', 0],
    ['invalid_json', '\ufeff{}\n', 0],
    ['invalid_json', '{}\nnonsense\n{}\n', 1],
    ['invalid_request', '{"ttl":"1"}\n{}\n', 0],
    ['invalid_request', JSON.stringify({ addresses: Array(9).fill(':4001') }), 0],
    ['invalid_request', '[{"network":"a"},{"network":"b"}]', 0],
    ['line_too_long', `{"x":"${'x'.repeat(8192)}"}\n{}\n`, 0],
    ['line_too_long', 'x'.repeat(100_000), 0],
    ['too_many_lines', '{}\n'.repeat(17), 16],
  ]
  for (const [code, request, answersBefore] of faults) {
    it(`ends with the error ${code} after ${answersBefore} answers`, async () => {
      const lines = (await exchange(peer, at, request)).trimEnd().split('\n')
      assert.equal(lines.length, answersBefore + 1)
      const { error, ...rest } = JSON.parse(lines.at(-1)!)
      assert.equal(error.code, code)
      assert.equal(typeof error.message, 'string')
      assert.deepEqual(rest, {})
    })
  }

  it('takes a line of 8192 bytes', async () => {
    const line = `{"x":"${'x'.repeat(8192 - 8)}"}`
    assert.equal(Buffer.byteLength(line), 8192)
    assert.equal(await exchange(peer, at, `${line}\r\n${line}`), '[]\n[]\n')
    assert.match(await exchange(peer, at, `${line} `), /line_too_long/)
  })

  it('is closed by the bootstrap after an error, whether or not the peer closes its side', async () => {
    const stream = await peer.dialProtocol(multiaddr(at), BOOTSTRAP_PROTOCOL)
    const closed = pEvent(stream, 'remoteCloseWrite')
    stream.send(Buffer.from('nonsense\n'))
    await closed
    stream.abort(new Error('seen enough'))
  })

  it('that is reset within its line registers nothing', async () => {
    const { requests } = bootstrap.status.counters
    const stream = await peer.dialProtocol(multiaddr(at), BOOTSTRAP_PROTOCOL)
    stream.send(Buffer.from(`{"address":"${addressOf(peer)}","network":"reset"}`))
    stream.abort(new Error('changed my mind'))
    assert.deepEqual(await ask(peer, at, { network: 'reset' }), [])
    assert.equal(bootstrap.status.counters.requests, requests + 1)
  })

  it('whose peer reads nothing is reset, and the others are served meanwhile', async () => {
    const stream: Stream = await peer.dialProtocol(multiaddr(at), BOOTSTRAP_PROTOCOL)
    stream.pause()
    stream.send(Buffer.from('{"network":"wide","limit":1000}\n'.repeat(16)))
    const closed = pEvent(stream, 'close', { timeout: 15_000 })
    assert.equal(await exchange(peer, at, '{"limit":0}'), '[]\n')
    await closed
    assert.equal(stream.status, 'reset')
  })
})

describe('a bootstrap whose disk takes nothing', () => {
  it('answers a registration with an error and the list, and goes on with the stream', async () => {
    const [known] = knownPeers(1, { now: Date.now() })
    const bootstrap = createBootstrapPeer({ store: withoutRoom(storeOf([known!])) })
    await bootstrap.start()
    const at = bootstrap.multiaddrs[0]!
    const peer = await startPeer()
    const address = addressOf(peer)
    const peers = [{ address: `${known!.address}/p2p/${known!.peerId}` }]
    const message = 'the bootstrap cannot store the registration now; try again later'
    const error = { code: 'unavailable', message, retryAfter: 30 }
    const lines = await exchange(peer, at, `{"address":"${address}"}\n{"address":"${address}","explain":true}\n{}\n`)
    const [plain, explained, asked] = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(plain, { error, peers })
    assert.deepEqual(explained, {
      peers,
      observed: explained.observed,
      registrations: [{ address, status: 'refused', code: 'unavailable', message, expiresIn: null }],
      error,
    })
    assert.deepEqual(asked, peers)
    await Promise.all([peer.stop(), bootstrap.stop()])
  })
})

function withoutRoom(store: Store): Store {
  const full = new StoreUnavailableError('ENOSPC', new Error('no space left'))
  return { ...memoryStore(), open: () => store.open(), append: () => Promise.reject(full) }
}
