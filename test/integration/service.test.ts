import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Libp2p } from 'libp2p'
import { pEvent } from 'p-event'
import { type BootstrapPeerInit, bootstrapService, createBootstrapPeer, memoryStore } from '../../src/index.ts'
import { BootstrapPeer } from '../../src/node.ts'
import { PUBLIC_LIMITS } from '../../src/policy/room.ts'
import type { StoreState } from '../../src/store/store.ts'
import { guardedNode, targetOf } from '../support/guarded-node.ts'
import { knownPeers, storeOf } from '../support/known-peers.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

async function newPeer(t: TestContext): Promise<Libp2p> {
  const peer = await startPeer()
  t.after(() => peer.stop())
  return peer
}

async function startBootstrap(t: TestContext, init: BootstrapPeerInit, sources: { clock?: () => number } = {}) {
  const node = new BootstrapPeer(init, sources)
  await node.start()
  t.after(() => node.stop())
  return node
}

describe('the service in a node that exists already', () => {
  it('serves the protocol beside whatever else the node does', async (t) => {
    const host = await startPeer({ services: { bootstrap: bootstrapService() } })
    t.after(() => host.stop())
    const peer = await newPeer(t)
    const address = addressOf(peer)
    assert.deepEqual(await ask(peer, host.getMultiaddrs()[0]!, { address }), [
      { address: `${address}/p2p/${peer.peerId}` },
    ])
    const { bootstrap } = host.services as unknown as { bootstrap: ReturnType<ReturnType<typeof bootstrapService>> }
    assert.equal(bootstrap.status.guard, undefined, 'it has none')
  })

  it('has the counters of the guard in its status, and keeps them when it stops', async (t) => {
    const host = await guardedNode(t, { deny: ['127.66.0.0/16'] })
    const peer = await newPeer(t)
    await ask(peer, targetOf(host), {})
    const { bootstrap, guard } = host.services
    assert.equal(bootstrap.status.guard?.open, 1)
    guard.beforeStop()
    await assert.rejects(ask(await newPeer(t), targetOf(host), {}))
    assert.equal(bootstrap.status.guard?.counters.refused.stopping, 1)
    await host.stop()
    assert.equal(bootstrap.status.guard?.counters.refused.stopping, 1)
    assert.equal(bootstrap.status.counters.requests, 1)
  })
})

describe('the events', () => {
  it('registered: one for each address that is new, none for a renewal, a refusal or a restart', async (t) => {
    const store = memoryStore()
    const node = await startBootstrap(t, { store })
    const seen: unknown[] = []
    node.addEventListener('registered', ({ detail }) => seen.push(detail))
    const peer = await newPeer(t)
    const address = addressOf(peer)
    const expected = { network: 'chain', peerId: peer.peerId.toString(), address }
    for (const request of [{ address }, { address }, { address: ':25' }, {}]) {
      await ask(peer, node.multiaddrs[0]!, { ...request, network: 'chain' })
    }
    assert.deepEqual(seen, [expected])
    const left = pEvent(peer, 'peer:disconnect', { timeout: 10_000 })
    await node.stop()
    await left
    await node.start()
    assert.equal((await ask(peer, node.multiaddrs[0]!, { network: 'chain' })).length, 1, 'it is still registered')
    assert.deepEqual(seen, [expected])
    await ask(peer, node.multiaddrs[0]!, { network: 'chain', ttl: 0 })
    await ask(peer, node.multiaddrs[0]!, { network: 'chain', address })
    assert.deepEqual(seen, [expected, expected], 'taken back, it is new again')
  })

  it('registered: none for what the disk did not take', async (t) => {
    const memory = memoryStore()
    let append = memory.append
    const node = await startBootstrap(t, { store: { ...memory, append: (changes) => append(changes) } })
    let seen = 0
    node.addEventListener('registered', () => seen++)
    const peer = await newPeer(t)
    // Closed, it rejects as a full disk does.
    append = memoryStore().append
    const answer = await ask(peer, node.multiaddrs[0]!, { address: addressOf(peer), explain: true })
    assert.equal(answer.error.code, 'unavailable')
    assert.equal(seen, 0)
    append = memory.append
    await ask(peer, node.multiaddrs[0]!, { address: addressOf(peer) })
    assert.equal(seen, 1)
  })

  it('evicted: when a registration gives way in a full subnet', async (t) => {
    const store = storeOf(
      knownPeers(PUBLIC_LIMITS['ip4/24'], { now: Date.now() }).map((record, n) => ({
        ...record,
        address: `/ip4/8.8.8.${n % 4}/tcp/${4001 + n}`,
        provedAt: 0,
      })),
    )
    const node = await startBootstrap(t, { store, listing: 'registered', allowForeignIp: true })
    const peer = await newPeer(t)
    const evicted = pEvent<'evicted', CustomEvent>(node, 'evicted', { timeout: 10_000 })
    await ask(peer, node.multiaddrs[0]!, { address: '/ip4/8.8.8.200/tcp/4001' })
    assert.match((await evicted).detail.address, /^\/ip4\/8\.8\.8\.[0-3]\/tcp\/\d+$/)
    assert.equal(node.status.counters.evicted, 1)
    assert.equal(node.status.registrationCount, PUBLIC_LIMITS['ip4/24'])
  })

  it('expired: when the time of a registration is over', async (t) => {
    let now = Date.now()
    const node = await startBootstrap(t, {}, { clock: () => now })
    const peer = await newPeer(t)
    const address = addressOf(peer)
    await ask(peer, node.multiaddrs[0]!, { address, network: 'chain', ttl: 60 })
    const expired = pEvent<'expired', CustomEvent>(node, 'expired', { timeout: 10_000 })
    now += 60_000
    assert.deepEqual((await expired).detail, { network: 'chain', peerId: peer.peerId.toString(), address })
  })

  it('store: when the store begins to fail, and when it works again', async (t) => {
    let state: StoreState = { status: 'ok' }
    const memory = memoryStore()
    const node = await startBootstrap(t, {
      store: {
        ...memory,
        get state() {
          return state
        },
      },
    })
    for (const next of [
      { status: 'failing', code: 'ENOSPC', since: 1, retryAt: 2 } satisfies StoreState,
      { status: 'ok' } satisfies StoreState,
    ]) {
      const told = pEvent<'store', CustomEvent>(node, 'store', { timeout: 10_000 })
      state = next
      assert.deepEqual((await told).detail, next)
      assert.deepEqual(node.status.store, next)
    }
  })

  it('warning: what the store has to say of what it recovered', async (t) => {
    const memory = memoryStore()
    const node = createBootstrapPeer({
      store: { ...memory, open: async () => ({ ...(await memory.open()), warnings: ['a torn tail was dropped'] }) },
    })
    const told = pEvent<'warning', CustomEvent>(node, 'warning', { timeout: 10_000 })
    await node.start()
    t.after(() => node.stop())
    assert.deepEqual((await told).detail, { message: 'a torn tail was dropped' })
  })

  it('edited: when a snapshot finds the list edited by hand', async (t) => {
    const folder = await temporaryFolder(t)
    const file = join(folder, 'peers.json')
    const node = await startBootstrap(t, { file })
    const peer = await newPeer(t)
    const own = { address: `${addressOf(peer)}/p2p/${peer.peerId}` }

    await until(async () => (await readFile(file, 'utf8').catch(() => '')).length > 0, 'the list is written')
    await writeFile(file, JSON.stringify([own]))
    const told = pEvent<'edited', CustomEvent>(node, 'edited', { timeout: 10_000 })
    await ask(peer, node.multiaddrs[0]!, { address: addressOf(peer), network: 'another' })
    assert.partialDeepStrictEqual((await told).detail, { outcome: 'taken', added: 1, removed: 0 })
    assert.equal(node.status.staticCount, 1)
  })
})
