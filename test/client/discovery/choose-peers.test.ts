import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { choosePeers, type Offer } from '../../../src/client/discovery/choose-peers.ts'
import type { OfferedPeer } from '../../../src/client/offered-peers.ts'

const peer = (id: string, group?: string): OfferedPeer => ({ id, addresses: [{ text: `at ${id} ${group}`, group }] })
const ids = (offers: Offer[], caps?: { perRoot: number; perGroup: number }) =>
  choosePeers(offers, caps).map(({ id }) => id)

describe('choosing among what bootstraps offer', () => {
  it('takes first whom more of them named', () => {
    const offers = [
      { root: 'a', peers: [peer('1'), peer('2'), peer('3')] },
      { root: 'b', peers: [peer('4'), peer('3'), peer('2')] },
      { root: 'c', peers: [peer('3')] },
    ]
    assert.deepEqual(ids(offers), ['3', '2', '1', '4'])
  })

  it('hears bootstraps of one root as one voice', () => {
    const offers = [
      { root: 'liar', peers: [peer('planted')] },
      { root: 'liar', peers: [peer('planted')] },
      { root: 'a', peers: [peer('other'), peer('honest')] },
      { root: 'b', peers: [peer('honest')] },
    ]
    assert.deepEqual(ids(offers), ['honest', 'planted', 'other'])
  })

  it('takes so many from one root, however long its list', () => {
    const endless = Array.from({ length: 1000 }, (_, n) => peer(`planted ${n}`))
    const honest = Array.from({ length: 5 }, (_, n) => peer(`honest ${n}`))
    const chosen = ids(
      [
        { root: 'liar', peers: endless },
        { root: 'a', peers: honest },
      ],
      { perRoot: 10, perGroup: 16 },
    )
    assert.equal(chosen.filter((id) => id.startsWith('planted')).length, 10)
    assert.equal(chosen.filter((id) => id.startsWith('honest')).length, 5)
  })

  it('takes so many of one network group, and any number of neighbours', () => {
    const crowd = Array.from({ length: 20 }, (_, n) => peer(`${n}`, '203.0/16'))
    assert.equal(ids([{ root: 'a', peers: crowd }], { perRoot: 64, perGroup: 3 }).length, 3)
    const neighbours = Array.from({ length: 20 }, (_, n) => peer(`${n}`))
    assert.equal(ids([{ root: 'a', peers: neighbours }], { perRoot: 64, perGroup: 3 }).length, 20)
  })

  it('dials first the address that more of them named', () => {
    const wrong = { id: '1', addresses: [{ text: 'wrong', group: undefined }] }
    const right = { id: '1', addresses: [{ text: 'right', group: undefined }] }
    const [chosen] = choosePeers([
      { root: 'liar', peers: [wrong] },
      { root: 'a', peers: [right] },
      { root: 'b', peers: [right] },
    ])
    assert.deepEqual(chosen!.addresses, ['right', 'wrong'])
  })

  it('never names a peer twice, nor exceeds a cap', () => {
    const offer = fc.record({
      root: fc.constantFrom('a', 'b', 'c'),
      peers: fc.array(
        fc
          .tuple(fc.constantFrom('1', '2', '3', '4', '5', '6', '7'), fc.constantFrom('g', 'h', undefined))
          .map((each) => peer(...each)),
      ),
    })
    fc.assert(
      fc.property(fc.array(offer, { maxLength: 5 }), (offers) => {
        const chosen = choosePeers(offers, { perRoot: 2, perGroup: 2 })
        assert.equal(new Set(chosen.map(({ id }) => id)).size, chosen.length)
        assert.ok(chosen.length <= 2 * new Set(offers.map(({ root }) => root)).size)
        for (const group of ['g', 'h']) {
          assert.ok(chosen.filter(({ addresses }) => addresses.some((each) => each.endsWith(group))).length <= 2)
        }
      }),
    )
  })
})
