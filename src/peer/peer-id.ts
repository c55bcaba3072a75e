// PeerIds as text: the canonical form of every accepted one.

import { peerIdFromString } from '@libp2p/peer-id'

/** In base58 a PeerId has 46 to 53 characters, as a CID 60 to 65. */
const MAX_PEER_ID_LENGTH = 100

/** The canonical text of a PeerId (base58btc), whichever of its forms it is written in; undefined when it is none. */
export function canonicalPeerId(text: string): string | undefined {
  if (text.length > MAX_PEER_ID_LENGTH) {
    return undefined
  }
  try {
    const id = peerIdFromString(text)
    // libp2p also reads URLs as PeerIds. No handshake proves one, and its text is no base58.
    if (id.type === 'url') {
      return undefined
    }
    // Base58 has one text for each id; encoding it again would be half the time of a start.
    return text.startsWith('1') || text.startsWith('Q') ? text : id.toString()
  } catch {
    return undefined
  }
}

/** Whether a text names the peer, in any form: the canonical text stands for the bytes, one to one. */
export function samePeer(text: string, peerId: string): boolean {
  return text === peerId || canonicalPeerId(text) === peerId
}
