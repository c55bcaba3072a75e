import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'

export interface RecordInit {
  readonly seq?: bigint
  /** Whom it is about. Default: the signer. */
  readonly subject?: PrivateKey
  readonly form?: 'standard' | 'routing-state'
}

/**
 * An envelope as a peer would send it: sealed by @libp2p/peer-record, the routing-state form as rust-libp2p seals it.
 */
export async function sealRecord(
  key: PrivateKey,
  addresses: readonly string[],
  { seq = BigInt(Date.now()), subject = key, form = 'standard' }: RecordInit = {},
): Promise<Uint8Array> {
  const record = new PeerRecord({
    peerId: peerIdFromPrivateKey(subject),
    multiaddrs: addresses.map((each) => multiaddr(each)),
    seqNumber: seq,
  })
  if (form === 'routing-state') {
    record.domain = 'libp2p-routing-state'
    record.codec = Uint8Array.from(Buffer.from('/libp2p/routing-state-record'))
  }
  return (await RecordEnvelope.seal(record, key)).marshal()
}
