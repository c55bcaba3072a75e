import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PeerCache } from '../../../src/client/cache/peer-cache.ts'
import { anyPeerId } from '../../support/known-peers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { virtualTime } from '../../support/virtual-time.ts'

const at = (n: number, ip = '127.0.0.1') => `/ip4/${ip}/tcp/${4000 + n}`
const eight = (from: number) => Array.from({ length: 8 }, (_, n) => at(from + n))

describe('a cache of peers', () => {
  function cacheOf({ path = undefined as string | undefined } = {}) {
    return new PeerCache({ path, scheduler: virtualTime(), onWarning: assert.fail })
  }

  describe('of one peer', () => {
    it('keeps the address that was dialled in front of whatever is said of it', () => {
      const cache = cacheOf()
      cache.dialled('a', at(0), [])
      for (let round = 1; round < 10; round++) {
        cache.named('a', eight(round * 100), [])
      }
      const { addresses, dialled } = cache.peers[0]!
      assert.equal(addresses[0], at(0))
      assert.equal(addresses.length, 8)
      assert.equal(dialled, 1)
    })

    it('keeps where it was seen to listen among what a liar says, round after round', () => {
      const cache = cacheOf()
      cache.connected('a', [at(0)])
      for (let round = 1; round < 10; round++) {
        cache.named('a', eight(round * 100), [])
      }
      assert.equal(cache.peers[0]!.addresses[0], at(0))
      assert.equal(cache.peers[0]!.dialled, 0)
    })

    it('puts the address that was dialled last first, and keeps half of the places for others', () => {
      const cache = cacheOf()
      cache.named('a', [at(50)], [])
      for (const address of eight(0)) {
        cache.dialled('a', address, [])
      }
      assert.deepEqual(cache.peers[0]!.addresses.slice(0, 4), [at(7), at(6), at(5), at(4)])
      assert.equal(cache.peers[0]!.dialled, 4)
    })

    it('is read back as it was', async (t) => {
      const path = join(await temporaryFolder(t), 'cache.json')
      const cache = cacheOf({ path })
      const [one, two] = [anyPeerId(), anyPeerId()]
      cache.dialled(one, at(0), [])
      cache.named(one, [at(1)], [])
      cache.connected(two, [at(2)])
      await cache.close()
      const again = cacheOf({ path })
      await again.open()
      assert.deepEqual(
        new Set(again.peers.map(({ id, addresses, dialled }) => `${id} ${addresses} ${dialled}`)),
        new Set([`${one} ${[at(0), at(1)]} 1`, `${two} ${at(2)} 0`]),
      )
    })
  })

  it('has 4 dialled peers of one public IP, and 16 of a network group, those that worked last', () => {
    const cache = cacheOf()
    for (let n = 0; n < 50; n++) {
      cache.dialled(`honest ${n}`, at(0, `${20 + n}.1.0.1`), [])
    }
    for (let n = 0; n < 300; n++) {
      cache.dialled(`planted ${n}`, at(n, `160.${n % 4}.0.1`), [])
      cache.dialled(`group ${n}`, at(n, `161.0.${n >> 8}.${n & 255}`), [])
      cache.dialled(`neighbour ${n}`, at(n, '10.0.0.7'), [])
    }
    const count = (name: string) => cache.peers.filter(({ id }) => id.startsWith(name)).length
    assert.deepEqual([count('honest'), count('planted'), count('group')], [50, 16, 16])
    assert.ok(count('neighbour') === 300, 'those of a private network are all its peers')
    assert.ok(cache.peers.some(({ id }) => id === 'planted 299'))
  })

  it('remembers which origins named a peer, each once, and 8 at most', async (t) => {
    const path = join(await temporaryFolder(t), 'cache.json')
    const cache = cacheOf({ path })
    const id = anyPeerId()
    cache.dialled(id, at(0), ['a'])
    cache.named(id, [at(0)], ['a', '/dnsaddr/boot.example'])
    cache.connected(id, [at(0)])
    await cache.close()
    const again = cacheOf({ path })
    await again.open()
    assert.deepEqual(again.peers[0]!.origins, ['a', '/dnsaddr/boot.example'])
    again.named(
      id,
      [],
      Array.from({ length: 20 }, (_, n) => `${n}`),
    )
    assert.equal(again.peers[0]!.origins.length, 8)
  })

  describe('that strangers connect to', () => {
    it('takes 4 at a public IP, 16 at a private one, and 16 of a network group', () => {
      const cache = cacheOf()
      for (let n = 0; n < 100; n++) {
        cache.connected(`public ${n}`, [at(n, '8.8.8.8')])
        cache.connected(`private ${n}`, [at(n, '172.17.0.1')])
        cache.connected(`group ${n}`, [at(0, `9.9.${n}.1`)])
      }
      const count = (name: string) => cache.peers.filter(({ id }) => id.startsWith(name)).length
      assert.deepEqual([count('public'), count('private'), count('group')], [4, 16, 16])
    })

    it('gives a place to another when one of them was dialled', () => {
      const cache = cacheOf()
      for (let n = 0; n < 10; n++) {
        cache.connected(`${n}`, [at(n, '8.8.8.8')])
      }
      cache.dialled('0', at(0, '8.8.8.8'), [])
      cache.connected('9', [at(9, '8.8.8.8')])
      cache.connected('8', [at(8, '8.8.8.8')])
      assert.deepEqual(new Set(cache.peers.map(({ id }) => id)), new Set(['0', '1', '2', '3', '9']))
    })

    it('drops those that only connected to it before one that was dialled', () => {
      const cache = cacheOf()
      cache.dialled('worked', at(0), [])
      for (let n = 0; n < 2000; n++) {
        cache.named(`${n}`, [at(n, `9.${n % 200}.1.1`)], [])
      }
      assert.equal(cache.peers.length, 1000)
      assert.ok(cache.peers.some(({ id }) => id === 'worked'))
    })
  })
})
