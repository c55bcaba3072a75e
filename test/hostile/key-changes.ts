import { generateKeyPair } from '@libp2p/crypto/keys'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import type { HonestPeer } from './honest-peer.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'
import type { Victim } from './victim.ts'

const IDENTITIES = 20
const ROUNDS = 3
/** Each turn costs its own dial-back, and one of the identity before it; the rest are retries of those that missed. */
const DIALS_A_TURN = 4
const NETWORK = 'honest'

/**
 * One port that answers under 20 identities in turn, each of which registers, three times round: the one before it was
 * alive a moment ago. A reader asks after each turn, in the network of the honest peer.
 */
export async function keyChanges(victim: Victim, honest: HonestPeer): Promise<Figure[]> {
  const keys = await Promise.all(Array.from({ length: IDENTITIES }, () => generateKeyPair('Ed25519')))
  const reader = await startPeer({ addresses: { listen: [] } })
  let home = '/ip4/127.0.0.1/tcp/0'
  let [most, unlisted, dials, honestMissing] = [0, 0, 0, 0]
  try {
    for (let turn = 0; turn < IDENTITIES * ROUNDS; turn++) {
      const peer = await startPeer({
        privateKey: keys[turn % IDENTITIES]!,
        addresses: { listen: [home] },
        connectionGater: {
          denyInboundConnection() {
            dials++
            return false
          },
        },
      })
      home = addressOf(peer)
      await ask(peer, victim.target, { address: home, network: NETWORK })
      const listed: string[] = (await ask(reader, victim.target, { network: NETWORK })).map(
        (each: { address: string }) => each.address,
      )
      const there = listed.filter((each) => each.startsWith(`${home}/p2p/`))
      most = Math.max(most, there.length)
      unlisted += there.includes(`${home}/p2p/${peer.peerId}`) ? 0 : 1
      honestMissing += listed.includes(honest.address) ? 0 : 1
      await peer.stop()
    }
  } finally {
    await reader.stop()
  }
  const turns = IDENTITIES * ROUNDS
  const name = 'key-changes'
  return [
    atMost(name, `PeerIds in an answer at one port, of ${IDENTITIES}`, most, 1),
    atMost(name, 'answers without the one that lives there', unlisted, 0),
    atMost(name, 'answers without the honest peer', honestMissing, 0),
    atMost(name, `dials at the port a turn, of ${turns}`, dials / turns, DIALS_A_TURN),
    atLeast(name, 'dials at the port', dials, turns),
    shown(name, 'turns', turns),
  ]
}
