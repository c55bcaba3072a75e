import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PeerCache } from '../../../src/client/cache/peer-cache.ts'
import { CacheFallback } from '../../../src/client/discovery/cache-fallback.ts'
import type { ChosenPeer } from '../../../src/client/discovery/choose-peers.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../../../src/client/source-tags.ts'
import { anyPeerId } from '../../support/known-peers.ts'
import { virtualTime } from '../../support/virtual-time.ts'

describe('the peers of a cache that a node falls back to', () => {
  function begin() {
    const scheduler = virtualTime()
    const cache = new PeerCache({ path: undefined, scheduler, onWarning: assert.fail })
    const used: ChosenPeer[][] = []
    const connected = new Set<string>()
    const init = {
      cache,
      ownId: 'me',
      hasOrigin: (origin: string) => origin.startsWith('configured'),
      isConnected: (id: string) => connected.has(id),
      refreshInterval: 300_000,
      scheduler,
      random: Math.random,
    }
    const fallback = new CacheFallback({ ...init, onUse: (peers) => used.push([...peers]) })
    fallback.ready()
    return { cache, connected, fallback, used }
  }

  it('are those that were dialled, though any number of strangers connected later', () => {
    const { cache, fallback, used } = begin()
    const good = Array.from({ length: 20 }, () => anyPeerId())
    for (const [n, id] of good.entries()) {
      cache.dialled(id, `/ip4/${20 + n}.1.0.1/tcp/4001`, [])
    }
    for (let n = 0; n < 400; n++) {
      cache.connected(anyPeerId(), [`/ip4/${60 + (n % 100)}.5.${n >> 2}.1/tcp/4001`])
      cache.connected(anyPeerId(), [`/ip4/172.17.0.${1 + (n % 200)}/tcp/4001`])
    }
    fallback.use()
    const [peers] = used as [ChosenPeer[]]
    assert.deepEqual(new Set(peers.slice(0, 20).map(({ id }) => id)), new Set(good))
    assert.equal(peers.length, 20 + 32)
    assert.ok(peers.slice(0, 20).every(({ origins }) => origins.includes(CACHE_SOURCE)))
    assert.ok(peers.slice(20).every(({ origins }) => origins.includes(INBOUND_SOURCE)))
  })

  it('stand for the configured origins that named them, and for none that is configured no more', () => {
    const { cache, fallback, used } = begin()
    const named = new Map(
      [['configured a'], ['configured a', 'configured b'], ['gone'], []].map((origins) => [anyPeerId(), origins]),
    )
    for (const [id, origins] of named) {
      cache.dialled(id, '/ip4/127.0.0.1/tcp/4001', origins)
    }
    fallback.use()
    for (const { id, origins } of used[0]!) {
      assert.deepEqual(origins, [CACHE_SOURCE, ...named.get(id)!.filter((each) => each !== 'gone')])
    }
    assert.equal(used[0]!.length, 4)
  })

  it('are none that the node is connected to', () => {
    const { cache, connected, fallback, used } = begin()
    const [here, away] = [anyPeerId(), anyPeerId()]
    cache.dialled(here, '/ip4/127.0.0.1/tcp/4001', [])
    connected.add(here)
    fallback.use()
    assert.equal(used.length, 0)
    cache.dialled(away, '/ip4/127.0.0.1/tcp/4002', [])
    fallback.use()
    assert.deepEqual(
      used.map((peers) => peers.map(({ id }) => id)),
      [[away]],
    )
  })

  it('are those that only connected to it, when there are no others', () => {
    const { cache, fallback, used } = begin()
    const id = anyPeerId()
    cache.connected(id, ['/ip4/127.0.0.1/tcp/4001'])
    fallback.use()
    assert.deepEqual(
      used.map((peers) => peers.map((peer) => peer.id)),
      [[id]],
    )
  })
})
