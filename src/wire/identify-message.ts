// The message of identify, bytes to values.

import { ProtobufError, readFields } from './protobuf.ts'

/** The protocol's name in Go and Rust; js-libp2p's default. https://github.com/libp2p/specs/tree/master/identify */
export const IDENTIFY_PROTOCOL = '/ipfs/id/1.0.0'
/** The most bytes of a message: go-libp2p's `signedIDSize`. */
export const MAX_IDENTIFY_BYTES = 8192
/** Messages read of one answer. go-libp2p sends a signed record in a second one when the first is longer than 2 KiB. */
export const MAX_IDENTIFY_MESSAGES = 2

/** The members of an identify message that are used here: the peer's own word. */
export interface IdentifyMessage {
  /** Name and version of the program, such as `rust-libp2p/0.48.0`. */
  readonly agent: string | undefined
  /** A signed envelope, not verified. */
  readonly signedPeerRecord: Uint8Array | undefined
}

/** Reads a message. Undefined for bytes that are no message. */
export function decodeIdentify(bytes: Uint8Array): IdentifyMessage | undefined {
  let agent: string | undefined
  let signedPeerRecord: Uint8Array | undefined
  try {
    for (const field of readFields(bytes)) {
      if (field.type === 'bytes' && field.number === AGENT_VERSION) {
        agent = Buffer.from(field.value).toString()
      } else if (field.type === 'bytes' && field.number === SIGNED_PEER_RECORD) {
        // A copy, so that the message around it can be freed.
        signedPeerRecord = Uint8Array.from(field.value)
      }
    }
  } catch (err) {
    if (err instanceof ProtobufError) {
      return undefined
    }
    throw err
  }
  return { agent, signedPeerRecord }
}

const AGENT_VERSION = 6
const SIGNED_PEER_RECORD = 8
