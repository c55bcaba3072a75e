import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBootstrapPeer } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'

const IDENTITIES = 20
const NETWORKS = ['', 'chain']

describe('one address', () => {
  it(`has one peer in the answers, whichever of ${IDENTITIES} identities it answers with in turn`, async (t) => {
    const bootstrap = createBootstrapPeer()
    await bootstrap.start()
    t.after(() => bootstrap.stop())
    const at = bootstrap.multiaddrs[0]!
    const reader = await startPeer()
    t.after(() => reader.stop())
    let home: string | undefined
    for (let n = 0; n < IDENTITIES; n++) {
      const peer = await startPeer({ addresses: { listen: [home ?? '/ip4/127.0.0.1/tcp/0'] } })
      try {
        home ??= addressOf(peer)
        const network = NETWORKS[n % NETWORKS.length]!
        const answer = await ask(peer, at, { address: home, network, explain: true })
        assert.equal(answer.registrations[0].status, 'listed')
        const own = peer.peerId.toString()
        assert.deepEqual(await listedAt(home), [own])
      } finally {
        await peer.stop()
      }
    }
    assert.equal(bootstrap.status.registrationCount, IDENTITIES, 'the others are registered, and not handed out')

    async function listedAt(address: string): Promise<string[]> {
      const answers = await Promise.all(NETWORKS.map((network) => ask(reader, at, { network })))
      return answers
        .flat()
        .flatMap((each: { address: string; addresses?: string[] }) => each.addresses ?? [each.address])
        .filter((each: string) => each.startsWith(address))
        .map((each: string) => each.split('/p2p/')[1]!)
    }
  })
})
