import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { choosePeers, type Offer } from '../../../src/client/discovery/choose-peers.ts'
import type { OfferedPeer } from '../../../src/client/offered-peers.ts'

const peer = (id: string, group?: string): OfferedPeer => ({ id, addresses: [{ text: `at ${id} ${group}`, group }] })
const ids = (offers: Offer[], { perOrigin = 64, perGroup = 16, perIp = 1000 } = {}) =>
  choosePeers(offers, { perOrigin, perGroup, perIp }).map(({ id }) => id)

describe('choosing among what bootstraps offer', () => {
  it('takes first whom more of them named', () => {
    const offers = [
      { origin: 'a', peers: [peer('1'), peer('2'), peer('3')] },
      { origin: 'b', peers: [peer('4'), peer('3'), peer('2')] },
      { origin: 'c', peers: [peer('3')] },
    ]
    assert.deepEqual(ids(offers), ['3', '2', '1', '4'])
  })

  it('hears bootstraps of one origin as one voice', () => {
    const offers = [
      { origin: 'liar', peers: [peer('planted')] },
      { origin: 'liar', peers: [peer('planted')] },
      { origin: 'a', peers: [peer('other'), peer('honest')] },
      { origin: 'b', peers: [peer('honest')] },
    ]
    assert.deepEqual(ids(offers), ['honest', 'planted', 'other'])
  })

  it('takes the own list of a bootstrap before those of its siblings, which have the same voice', () => {
    const own = Array.from({ length: 6 }, (_, n) => peer(`own ${n}`))
    const said = Array.from({ length: 6 }, (_, n) => peer(`said ${n}`))
    const chosen = ids(
      [
        { origin: 'a', learned: true, peers: said },
        { origin: 'a', peers: own },
      ],
      { perOrigin: 8 },
    )
    assert.deepEqual(
      chosen.slice(0, 6),
      own.map(({ id }) => id),
    )
    assert.equal(chosen.length, 8)
    const [both] = choosePeers([
      { origin: 'a', learned: true, peers: [{ id: '1', addresses: [{ text: 'said', group: undefined }] }] },
      { origin: 'a', peers: [{ id: '1', addresses: [{ text: 'own', group: undefined }] }] },
    ])
    assert.deepEqual(both!.addresses, ['own', 'said'])
  })

  it('takes 4 of one public IP, shared by the origins', () => {
    const at = (id: string, ip: string) => ({ id, addresses: [{ text: `/ip4/${ip}/tcp/4001`, group: `${ip}/16` }] })
    const crowd = Array.from({ length: 20 }, (_, n) => at(`planted ${n}`, '8.8.8.8'))
    const others = Array.from({ length: 12 }, (_, n) => at(`other ${n}`, `${20 + n}.1.1.1`))
    const chosen = choosePeers([
      { origin: 'liar', peers: crowd },
      { origin: 'a', peers: [at('neighbour', '8.8.8.8'), ...others] },
    ]).map(({ id }) => id)
    assert.equal(chosen.filter((id) => id.startsWith('planted')).length, 3)
    assert.ok(chosen.includes('neighbour'))
    assert.equal(chosen.length, 4 + others.length)
  })

  it('takes so many from one origin, however long its list', () => {
    const endless = Array.from({ length: 1000 }, (_, n) => peer(`planted ${n}`))
    const honest = Array.from({ length: 5 }, (_, n) => peer(`honest ${n}`))
    const chosen = ids(
      [
        { origin: 'liar', peers: endless },
        { origin: 'a', peers: honest },
      ],
      { perOrigin: 10, perGroup: 16 },
    )
    assert.equal(chosen.filter((id) => id.startsWith('planted')).length, 10)
    assert.equal(chosen.filter((id) => id.startsWith('honest')).length, 5)
  })

  it('takes so many of one network group, and any number of neighbours', () => {
    const crowd = Array.from({ length: 20 }, (_, n) => peer(`${n}`, '203.0/16'))
    assert.equal(ids([{ origin: 'a', peers: crowd }], { perOrigin: 64, perGroup: 3 }).length, 3)
    const neighbours = Array.from({ length: 20 }, (_, n) => peer(`${n}`))
    assert.equal(ids([{ origin: 'a', peers: neighbours }], { perOrigin: 64, perGroup: 3 }).length, 20)
  })

  it('dials first the address that more of them named', () => {
    const wrong = { id: '1', addresses: [{ text: 'wrong', group: undefined }] }
    const right = { id: '1', addresses: [{ text: 'right', group: undefined }] }
    const [chosen] = choosePeers([
      { origin: 'liar', peers: [wrong] },
      { origin: 'a', peers: [right] },
      { origin: 'b', peers: [right] },
    ])
    assert.deepEqual(chosen!.addresses, ['right', 'wrong'])
  })

  describe('with a liar that answers first', () => {
    const at = (text: string, group?: string) => ({ text, group })

    it('keeps the true address of a peer, and gives the liar every second place', () => {
      const dead = Array.from({ length: 8 }, (_, n) => at(`dead ${n}`))
      const [chosen] = choosePeers([
        { origin: 'liar', peers: [{ id: '1', addresses: dead }] },
        { origin: 'a', peers: [{ id: '1', addresses: [at('right'), at('right too')] }] },
      ])
      assert.deepEqual(chosen!.addresses.slice(0, 4), ['dead 0', 'right', 'dead 1', 'right too'])
      assert.equal(chosen!.addresses.length, 8)
    })

    it('leaves the other origins their share of a network group', () => {
      const planted = Array.from({ length: 16 }, (_, n) => peer(`planted ${n}`, '203.0/16'))
      const far = Array.from({ length: 16 }, (_, n) => peer(`far ${n}`, `${n}`))
      const honest = Array.from({ length: 16 }, (_, n) => peer(`honest ${n}`, '203.0/16'))
      const chosen = ids([
        { origin: 'liar', peers: planted },
        { origin: 'a', peers: [...far, ...honest] },
      ])
      assert.equal(chosen.filter((id) => id.startsWith('planted')).length, 8)
      assert.equal(chosen.filter((id) => id.startsWith('honest')).length, 8)
    })

    it('does not let it use up a network group with addresses of real peers', () => {
      const real = Array.from({ length: 20 }, (_, n) => ({ id: `real ${n}`, addresses: [at(`right ${n}`)] }))
      const moved = real.map(({ id }) => ({ id, addresses: [at(`of ${id}`, '203.0/16')] }))
      const honest = Array.from({ length: 8 }, (_, n) => peer(`honest ${n}`, '203.0/16'))
      const chosen = ids([
        { origin: 'liar', peers: moved },
        { origin: 'a', peers: [...real, ...honest] },
      ])
      assert.equal(chosen.filter((id) => id.startsWith('honest')).length, 8)
    })
  })

  it('never names a peer twice, nor exceeds a cap', () => {
    const offer = fc.record({
      origin: fc.constantFrom('a', 'b', 'c'),
      peers: fc.array(
        fc
          .tuple(fc.constantFrom('1', '2', '3', '4', '5', '6', '7'), fc.constantFrom('g', 'h', undefined))
          .map((each) => peer(...each)),
      ),
    })
    fc.assert(
      fc.property(fc.array(offer, { maxLength: 5 }), (offers) => {
        const chosen = choosePeers(offers, { perOrigin: 2, perIp: 1000, perGroup: 2 })
        assert.equal(new Set(chosen.map(({ id }) => id)).size, chosen.length)
        assert.ok(chosen.length <= 2 * new Set(offers.map(({ origin }) => origin)).size)
        for (const group of ['g', 'h']) {
          assert.ok(chosen.filter(({ addresses }) => addresses.some((each) => each.endsWith(group))).length <= 2)
        }
      }),
    )
  })
})

it('takes a whole network that is behind one IP, and four peers of an IP where there are others', () => {
  const at = (ip: string, port: number): OfferedPeer => ({
    id: `${ip} ${port}`,
    addresses: [{ text: `/ip4/${ip}/tcp/${port}`, group: ip.split('.').slice(0, 2).join('.') }],
  })
  const nat = Array.from({ length: 16 }, (_, n) => at('1.2.3.4', 4001 + n))
  const others = Array.from({ length: 12 }, (_, n) => at(`${20 + n}.1.1.1`, 4001))
  assert.equal(choosePeers([{ origin: 'o', peers: nat }]).length, 16)
  assert.equal(choosePeers([{ origin: 'o', peers: [...nat, ...others] }]).length, 4 + 12)
})
