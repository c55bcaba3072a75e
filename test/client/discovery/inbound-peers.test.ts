import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { IdentifyResult } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { addressesOfInbound } from '../../../src/client/discovery/inbound-peers.ts'
import { anyPeerId } from '../../support/known-peers.ts'

const identified = (remoteAddr: string, ...listen: string[]) =>
  ({
    peerId: anyPeerId(),
    listenAddrs: listen.map((each) => multiaddr(each)),
    protocols: [],
    connection: { remoteAddr: multiaddr(remoteAddr) },
  }) as unknown as IdentifyResult

const textsOf = (result: IdentifyResult, inPrivate: boolean) =>
  addressesOfInbound(result, inPrivate).map(({ text }) => text)

it('a peer that connected is known at the IP it comes from, and at no other that it names', () => {
  const peer = identified('/ip4/8.8.8.8/tcp/50000', '/ip4/127.0.0.1/tcp/8545', '/ip4/192.168.1.1/tcp/8545')
  assert.deepEqual(textsOf(peer, false), ['/ip4/8.8.8.8/tcp/8545'])
})

it('a peer that comes from a gateway is not dialled there at a port that it names, but in a private network', () => {
  const peer = identified('/ip4/172.17.0.1/tcp/50000', '/ip4/8.8.8.8/tcp/8545')
  assert.deepEqual(textsOf(peer, false), [])
  assert.deepEqual(textsOf(peer, true), ['/ip4/172.17.0.1/tcp/8545'])
})
