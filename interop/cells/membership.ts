import assert from 'node:assert/strict'
import { type Peer, type PeerInit, startClient, startJsPeer } from '../peer.ts'
import type { Report } from '../report.ts'
import { type Command, LANGUAGES, type Language, TOOLCHAINS } from '../toolchains.ts'

export type Clients = ReadonlyMap<Language, Command>

/** The network of the matrix: named, so that the name passes through each stack. */
const NETWORK = 'interop'

/** A peer of each language registers, is dialled back, is listed, and finds the peers of the others. They stay up. */
export async function membership(
  report: Report,
  scope: AsyncDisposableStack,
  bootstrap: string,
  clients: Clients,
): Promise<Peer[]> {
  const init: PeerInit = { bootstrap, network: NETWORK }
  const witness = await startJsPeer(scope, init)
  const peers = new Map<string, Peer>()
  for (const [name, stack, start] of starters(scope, init, clients)) {
    await report.try(`${name} registers`, async () => {
      const peer = await start()
      peers.set(name, peer)
      assert.equal(peer.answer[0]?.address, `${peer.address}/p2p/${peer.peerId}`, 'its own record comes first')
      return stack
    })
  }
  for (const [name, peer] of peers) {
    await report.try(`${name} is dialled back`, () => assertProved(peer, NETWORK, witness))
    await report.try(`${name} is listed with its own PeerId`, () => assertListed(peer, witness, NETWORK))
  }
  for (const [name, peer] of peers) {
    for (const [other, { peerId }] of peers) {
      if (name !== other) {
        await report.try(`${name} finds ${other}, dials and pings it`, () => peer.find(peerId))
      }
    }
  }
  return [...peers.values()]
}

function starters(
  scope: AsyncDisposableStack,
  init: PeerInit,
  clients: Clients,
): ReadonlyArray<readonly [name: string, stack: string, start: () => Promise<Peer>]> {
  const installed = LANGUAGES.flatMap((language) => {
    const command = clients.get(language)
    return command === undefined
      ? []
      : [[language, TOOLCHAINS[language].stack, () => startClient(scope, command, init)] as const]
  })
  return [['js', 'js-libp2p', () => startJsPeer(scope, init)], ...installed]
}

/** The node says that it reached the peer at its address, and that at another's address it reached the other. */
export async function assertProved(peer: Peer, network: string, other: Peer): Promise<void> {
  const own = await peer.ask({ address: peer.address, network, explain: true })
  assert.equal(own.registrations[0].status, 'listed', own.registrations[0].message)
  const borrowed = await peer.ask({ address: other.address, network, explain: true })
  assert.equal(borrowed.registrations[0].code, 'dial_wrong_peer')
}

/** Others are handed the peer at its own address, and nowhere else. */
export async function assertListed(peer: Peer, witness: Peer, network: string): Promise<void> {
  const list: Peer['answer'] = await witness.ask({ network })
  const records = list.filter((record) => record.address.endsWith(`/p2p/${peer.peerId}`))
  assert.deepEqual(records, [{ address: `${peer.address}/p2p/${peer.peerId}` }])
}
