import { encodeFields, ProtobufError, readFields } from './protobuf.ts'

/**
 * How a peer registered before there were signed records: `PeerInfo` of the first draft of the rendezvous protocol, in
 * the field that holds the signed record now. py-libp2p 0.8.1 speaks only this.
 */
export interface PeerInfo {
  /** The bytes of the PeerId. */
  readonly id: Uint8Array
  /** Multiaddrs in binary. */
  readonly addresses: readonly Uint8Array[]
}

/** Undefined when the bytes are something else: an envelope has fields that a `PeerInfo` does not have. */
export function decodePeerInfo(bytes: Uint8Array): PeerInfo | undefined {
  let id: Uint8Array | undefined
  const addresses: Uint8Array[] = []
  try {
    for (const { number, type, value } of readFields(bytes)) {
      if (type !== 'bytes' || number > 2) {
        return undefined
      }
      if (number === 1) {
        id = value
      } else {
        addresses.push(value)
      }
    }
  } catch (err) {
    if (err instanceof ProtobufError) {
      return undefined
    }
    throw err
  }
  return id === undefined ? undefined : { id, addresses }
}

export function encodePeerInfo({ id, addresses }: PeerInfo): Uint8Array {
  return encodeFields([1, id], ...addresses.map((address) => [2, address] as const))
}
