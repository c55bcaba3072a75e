import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NodeAddress } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ownAddresses } from '../../src/client/own-addresses.ts'

const PRIVATE = multiaddr('/ip4/10.0.0.2/tcp/4001')
const PUBLIC = multiaddr('/ip4/8.8.8.8/tcp/4001')
const OBSERVED = multiaddr('/ip4/9.9.9.9/tcp/4001')

describe('the addresses of a node', () => {
  const all: NodeAddress[] = [
    { multiaddr: PRIVATE, verified: true, type: 'transport', expires: 0 },
    { multiaddr: PUBLIC, verified: false, type: 'transport', expires: 0 },
    { multiaddr: OBSERVED, verified: false, type: 'observed', expires: 0 },
  ]
  const source = { getAddresses: () => [PRIVATE], getAddressesWithMetadata: () => all }

  it('are those announced, and apart from them the public ones that it listens on; none that is only observed', () => {
    assert.deepEqual(ownAddresses(source), { announced: [String(PRIVATE)], unconfirmed: [String(PUBLIC)] })
  })

  it('are those announced where the address manager knows no others', () => {
    const announced = { announced: [String(PRIVATE)], unconfirmed: [] }
    assert.deepEqual(ownAddresses({ getAddresses: source.getAddresses }), announced)
  })

  it('are without those that the announceFilter of the application leaves out', () => {
    const announceFilter = (each: Multiaddr[]) => each.filter((address) => !String(address).includes('8.8.8.8'))
    assert.deepEqual(ownAddresses({ ...source, announceFilter } as typeof source).unconfirmed, [])
  })
})
