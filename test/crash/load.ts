import type { Libp2p } from 'libp2p'
import { ask, startPeer } from '../support/peers.ts'

/** Peers that register as fast as they are answered. */
export interface Load {
  /** Ends it, and tells the keys of what was answered. The node is dead by then. */
  stop(): Promise<readonly string[]>
}

const PEERS = 6
const REQUESTS_A_PEER = 8
const ADDRESSES_A_REQUEST = 8

/** Each peer registers 8 new addresses with each request, in a network of its own each, up to what a peer may have. */
export async function startLoad(address: string): Promise<Load> {
  const peers = await Promise.all(Array.from({ length: PEERS }, () => startPeer()))
  const answered: string[] = []
  const running = peers.map((peer) => registerUntilItBreaks(peer, address, answered))
  return {
    async stop() {
      await Promise.all(running)
      await Promise.all(peers.map((peer) => peer.stop()))
      return answered
    },
  }
}

async function registerUntilItBreaks(peer: Libp2p, address: string, answered: string[]): Promise<void> {
  for (let i = 0; i < REQUESTS_A_PEER; i++) {
    const network = `crash-${i}`
    const addresses = Array.from({ length: ADDRESSES_A_REQUEST }, (_, port) => `/ip4/127.0.0.1/tcp/${2000 + port}`)
    try {
      const answer = await ask(peer, address, { addresses, network, ttl: 259_200, limit: 0, explain: true })
      for (const registration of answer.registrations) {
        if (registration.status === 'listed') {
          answered.push(`${peer.peerId} ${registration.address} ${network}`)
        } else {
          throw new Error(`refused: ${JSON.stringify(registration)}`)
        }
      }
    } catch (err) {
      if (err instanceof Error && err.message.startsWith('refused')) {
        throw err
      }
      // The node was killed while it answered, as it should be.
      return
    }
  }
}
