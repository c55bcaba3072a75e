import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Connection } from '@libp2p/interface'
import { PeerDemand, QUIET_MS } from '../../../src/client/discovery/peer-demand.ts'

describe('whether a node wants more peers', () => {
  function demandOf({
    target = 8,
    connected = [] as string[],
    named = [] as string[],
    /** Who names them: one each, or several. */
    origins = ['a', 'b'],
    counts = (_: string): boolean => true,
    isVoice = (_: string): boolean => true,
  } = {}) {
    const state = {
      now: 1_000_000,
      connected,
      inbound: [] as string[],
      named: new Map(named.map((id) => [id, new Set(origins)])),
    }
    const demand = new PeerDemand({
      connectionManager: {
        getConnections: () => [
          ...state.connected.map((id) => connectionTo(id, 'outbound')),
          ...state.inbound.map((id) => connectionTo(id, 'inbound')),
        ],
      },
      target: () => target,
      named: () => state.named,
      isVoice,
      counts,
      now: () => state.now,
    })
    return { demand, state }
  }

  const connectionTo = (id: string, direction: Connection['direction']) =>
    ({ remotePeer: { toString: () => id }, direction }) as Connection

  it('wants more while it has none, even when none is named', () => {
    assert.equal(demandOf().demand.wantsMore, true)
  })

  it('is content with its target, whoever else is named', () => {
    const { demand } = demandOf({ target: 2, connected: ['a', 'b'], named: ['a', 'b', 'c'] })
    assert.equal(demand.wantsMore, false)
    assert.equal(demand.isShort, false)
  })

  it('is not content with peers that one of several origins named, whoever dialled', () => {
    const planted = Array.from({ length: 8 }, (_, n) => `planted ${n}`)
    const { demand, state } = demandOf({ connected: planted, named: planted, origins: ['liar'] })
    assert.equal(demand.isShort, false, 'it is the only origin')
    state.named.set('honest', new Set(['a']))
    assert.equal(demand.isShort, true)
    assert.equal(demand.wantsMore, true)
    const five = Array.from({ length: 5 }, (_, n) => `good ${n}`)
    for (const id of five) {
      state.named.set(id, new Set(['a', 'b']))
    }
    state.connected = [...planted, ...five]
    assert.equal(demand.isShort, false, 'three and five are eight')
  })

  it('is not content with peers that connected to it, but for those that are all it knows', () => {
    const { demand, state } = demandOf({ target: 2, named: ['a', 'b', 'c'] })
    state.inbound = ['a', 'b']
    assert.equal(demand.isShort, true)
    assert.equal(demand.wantsMore, true, 'c is missing')
    state.inbound.push('c')
    assert.equal(demand.wantsMore, false)
    state.connected = ['a', 'b']
    assert.equal(demand.isShort, false)
  })

  it('is content with peers of one origin when all of the other one failed', () => {
    const good = Array.from({ length: 8 }, (_, n) => `good ${n}`)
    const { demand, state } = demandOf({ connected: good, named: good, origins: ['a'], isVoice: (id) => id === 'a' })
    state.named.set('dead', new Set(['liar']))
    assert.equal(demand.isShort, false)
  })

  it('counts a peer once, and only peers of the network', () => {
    const { demand } = demandOf({
      target: 2,
      connected: ['a', 'a', 'bootstrap'],
      named: ['a', 'b'],
      counts: (id) => id === 'a',
    })
    assert.equal(demand.wantsMore, true)
    assert.equal(demand.isShort, true)
  })

  it('is content in a small network once it has all of it and was named no new peer for a while', () => {
    const { demand, state } = demandOf({ connected: ['a', 'b'], named: ['a', 'b'] })
    demand.newPeer()
    assert.equal(demand.wantsMore, true)
    state.now += QUIET_MS
    assert.equal(demand.wantsMore, false)
    assert.equal(demand.isShort, true)
    state.connected = ['a']
    assert.equal(demand.wantsMore, true, 'a named peer is missing')
  })
})
