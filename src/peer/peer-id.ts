import { peerIdFromString } from '@libp2p/peer-id'

/** The canonical text of a PeerId (base58btc), whichever of its forms it is written in; undefined when it is none. */
export function canonicalPeerId(text: string): string | undefined {
  try {
    const id = peerIdFromString(text)
    // libp2p also reads URLs as PeerIds. No handshake proves one, and its text is no base58.
    return id.type === 'url' ? undefined : id.toString()
  } catch {
    return undefined
  }
}

/** Whether a text names the peer, in any form: the canonical text stands for the bytes, one to one. */
export function samePeer(text: string, peerId: string): boolean {
  return text === peerId || canonicalPeerId(text) === peerId
}
