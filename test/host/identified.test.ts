import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p, Libp2pOptions } from 'libp2p'
import { IDENTIFY_TIMEOUT_MS, type Identified, IdentifiedPeers, MAX_IDENTIFYING } from '../../src/host/identified.ts'
import { openRecord } from '../../src/peer/record.ts'
import { IDENTIFY_PROTOCOL } from '../../src/wire/identify-message.ts'
import { encodeFields } from '../../src/wire/protobuf.ts'
import { startPeer } from '../support/peers.ts'
import { sealRecord } from '../support/records.ts'
import { until } from '../support/wait.ts'

const components = (node: Libp2p) =>
  (node as unknown as { components: ConstructorParameters<typeof IdentifiedPeers>[0] }).components

describe('a peer that is asked who it is', () => {
  it('tells its program and its record', async (t) => {
    const { peers, connection, far } = await connected(t)
    const told = (await peers.of(connection.remotePeer)) as Identified
    assert.match(told.agent ?? '', /^js-libp2p\//)
    const record = await openRecord(told.envelope!)
    assert.ok(typeof record === 'object' && record.form === 'standard' && record.peerId === far.peerId.toString())
  })

  it('tells its record of whatever form', async (t) => {
    const { peers, connection, far, key } = await connected(t)
    const envelope = await sealRecord(key, ['/ip4/127.0.0.1/tcp/4001'], { form: 'routing-state' })
    await far.peerStore.patch(far.peerId, { peerRecordEnvelope: envelope })
    const told = (await peers.of(connection.remotePeer)) as Identified
    assert.deepEqual(Buffer.from(told.envelope!), Buffer.from(envelope))
  })

  it('tells it in two messages, as go-libp2p does when the first is long', async (t) => {
    const { peers, connection } = await connected(t, (stream) => {
      send(stream, encodeFields([3, '/a'.repeat(2000)], [6, 'go']))
      send(stream, encodeFields([8, Buffer.from('envelope')]))
      void stream.close()
    })
    const told = (await peers.of(connection.remotePeer)) as Identified
    assert.equal(told.agent, 'go')
    assert.equal(Buffer.from(told.envelope!).toString(), 'envelope')
  })

  it('is not asked where the host has asked already, and what that was told counts', async (t) => {
    const { peers, connection, near } = await connected(t, undefined, {
      services: { identify: identify({ runOnConnectionOpen: true }) },
    })
    await until(async () => {
      const { metadata } = await near.peerStore.get(connection.remotePeer)
      return metadata.has('AgentVersion')
    }, 'the host knows')
    let asked = 0
    connection.newStream = async () => {
      asked++
      throw new Error('not to be asked')
    }
    assert.match(((await peers.of(connection.remotePeer)) as Identified).agent ?? '', /^js-libp2p\//)
    assert.equal(asked, 0)
  })

  for (const [what, answer] of [
    ['closes without a word', (stream: Stream) => void stream.close()],
    ['resets', (stream: Stream) => stream.abort(new Error('no'))],
    ['sends no message', (stream: Stream) => send(stream, Buffer.from('ffff', 'hex'))],
    ['sends more than a message may have', (stream: Stream) => send(stream, Buffer.alloc(8193))],
  ] as const) {
    it(`is silent when it ${what}`, async (t) => {
      const { peers, connection } = await connected(t, answer)
      const began = performance.now()
      assert.equal(await peers.of(connection.remotePeer), 'silent')
      assert.ok(performance.now() - began < IDENTIFY_TIMEOUT_MS, 'at once')
    })
  }

  it('is silent when it does not answer in time, and leaves no stream behind', async (t) => {
    const { peers, connection } = await connected(t, () => {})
    const began = performance.now()
    assert.equal(await peers.of(connection.remotePeer), 'silent')
    const took = performance.now() - began
    assert.ok(took > IDENTIFY_TIMEOUT_MS - 50 && took < 2 * IDENTIFY_TIMEOUT_MS, `${took} ms`)
    await until(() => connection.streams.length === 0, 'no stream is open')
  })

  it('is silent when it does not speak identify', async (t) => {
    const { peers, connection, far } = await connected(t)
    await far.unhandle(IDENTIFY_PROTOCOL)
    assert.equal(await peers.of(connection.remotePeer), 'silent')
  })

  it('can not be asked when it is not connected', async (t) => {
    const { peers, connection, near } = await connected(t)
    await near.hangUp(connection.remotePeer)
    assert.equal(await peers.of(connection.remotePeer), 'not_connected')
  })

  it('is asked once by all who ask at the same time', async (t) => {
    let asked = 0
    const { peers, connection } = await connected(t, (stream) => {
      asked++
      send(stream, encodeFields([6, 'a']))
      void stream.close()
    })
    const told = await Promise.all(Array.from({ length: 5 }, () => peers.of(connection.remotePeer)))
    assert.equal(asked, 1)
    assert.deepEqual(new Set(told.map((each) => (each as Identified).agent)), new Set(['a']))
  })

  it('is not asked beyond what we can: so many at a time, so many a second', async () => {
    let now = 0
    const peers = new IdentifiedPeers({} as never, { budget: { burst: 20, perSecond: 1 }, clock: () => now })
    const remoteAddr = '/ip4/127.0.0.1/tcp/4001'
    const never = { remoteAddr, newStream: (_: string, { signal }: { signal: AbortSignal }) => rejected(signal) }
    const asking = Array.from({ length: MAX_IDENTIFYING }, () => peers.ask(never))
    assert.equal(await peers.ask(never), 'busy')
    assert.deepEqual(new Set(await Promise.all(asking)), new Set(['silent']))
    const broken = { remoteAddr, newStream: async () => await Promise.reject(new Error('gone')) }
    for (let n = MAX_IDENTIFYING; n < 20; n++) {
      assert.equal(await peers.ask(broken), 'silent')
    }
    assert.equal(await peers.ask(broken), 'busy')
    now += 1000
    assert.equal(await peers.ask(broken), 'silent')
  })
})

describe('peers of a few subnets that never answer', () => {
  const silentAt = (remoteAddr: string) => ({
    remoteAddr,
    newStream: (_: string, { signal }: { signal: AbortSignal }) => rejected(signal),
  })

  it('leave one of another subnet its question: the last of theirs is given up, and was not asked', async () => {
    const peers = new IdentifiedPeers({} as never, { clock: () => 0 })
    const asking = Array.from({ length: MAX_IDENTIFYING }, (_, n) =>
      peers.ask(silentAt(`/ip4/8.8.${n % 2}.1/tcp/4001`)),
    )
    assert.equal(await peers.ask(silentAt('/ip4/8.8.0.1/tcp/4001')), 'busy')
    let asked = 0
    const other = {
      remoteAddr: '/ip4/9.9.9.9/tcp/4001',
      newStream: async () => {
        asked++
        throw new Error('it closed')
      },
    }
    assert.equal(await peers.ask(other), 'silent')
    assert.equal(asked, 1)
    const told = await Promise.all(asking)
    assert.deepEqual(told.filter((each) => each === 'busy').length, 1)
    assert.equal(told.at(-1), 'busy')
  })

  it('leave it its part of the questions a second', async () => {
    let now = 0
    const peers = new IdentifiedPeers({} as never, { clock: () => now })
    const gone = (remoteAddr: string) => ({
      remoteAddr,
      newStream: async () => await Promise.reject(new Error('gone')),
    })
    for (; now < 20_000; now += 100) {
      for (let n = 0; n < 30; n++) {
        await peers.ask(gone(`/ip4/8.8.8.${n}/tcp/4001`))
      }
    }
    let told: unknown
    for (let n = 0; n < 30 && told !== 'busy'; n++) {
      told = await peers.ask(gone('/ip4/8.8.8.1/tcp/4001'))
    }
    assert.equal(told, 'busy')
    assert.equal(await peers.ask(gone('/ip4/9.9.9.9/tcp/4001')), 'silent')
  })
})

/** A connection to a peer that answers as js-libp2p does, or as it is told. */
async function connected(
  t: TestContext,
  answer?: (stream: Stream) => void,
  options: Libp2pOptions = {},
): Promise<{ peers: IdentifiedPeers; connection: Connection; near: Libp2p; far: Libp2p; key: PrivateKey }> {
  const key = await generateKeyPair('Ed25519')
  const near = await startPeer(options)
  const far = await startPeer({
    privateKey: key,
    ...(answer === undefined ? { services: { identify: identify({ runOnConnectionOpen: false }) } } : {}),
  })
  t.after(() => Promise.all([near.stop(), far.stop()]))
  if (answer !== undefined) {
    await far.handle(IDENTIFY_PROTOCOL, answer)
  }
  const connection = await near.dial(multiaddr(far.getMultiaddrs()[0]!.toString()))
  return {
    peers: new IdentifiedPeers(components(near), { clock: () => performance.now() }),
    connection,
    near,
    far,
    key,
  }
}

function send(stream: Stream, message: Uint8Array): void {
  const length = Buffer.from(
    message.length < 128 ? [message.length] : [(message.length & 127) | 128, message.length >> 7],
  )
  stream.send(Buffer.concat([length, message]))
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
