// Signed peer records: open and verify, sign, reopen.

import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id'
import { PeerRecord as Payload, RecordEnvelope } from '@libp2p/peer-record'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { MAX_ENVELOPE_BYTES } from './limits.ts'

/** The most addresses of a record. */
export const MAX_RECORD_ADDRESSES = 16
/**
 * The highest sequence number: the largest signed 64-bit integer, 292 years of nanoseconds. A peer that once showed
 * the very last number could never show another record.
 */
export const MAX_SEQ = 2n ** 63n - 1n

/**
 * How an envelope is signed. `standard` is RFC 0002 and 0003 with the multicodec `libp2p-peer-record`, as in Go and
 * JavaScript. `routing-state` is the only form that rust-libp2p's rendezvous signs and reads (libp2p-core 0.44,
 * `peer_record.rs`): another domain and another payload type.
 */
export type RecordForm = 'standard' | 'routing-state'

/** A peer's signed statement of itself. Only this file makes one, so that its contents were signed by the peer. */
export interface SignedRecord {
  readonly form: RecordForm
  /** The peer, who is the signer; base58btc. */
  readonly peerId: string
  readonly seq: bigint
  /** Multiaddrs as they are in it. */
  readonly addresses: readonly string[]
  /** The envelope, byte for byte: cutting it would break the signature. */
  readonly envelope: Uint8Array
}

/** Why bytes are not a record that a peer signed of itself. */
export type RecordFault =
  | 'record_too_long'
  | 'record_not_an_envelope'
  | 'record_of_another_kind'
  | 'record_signature_wrong'
  /** Its signer has no PeerId in libp2p for JavaScript: ECDSA. */
  | 'record_key_unsupported'
  | 'record_signer_mismatch'
  | 'record_not_readable'
  | 'record_seq_out_of_range'
  | 'record_addresses_count'

/** Opens an envelope and verifies all of it: kind, signature, and that the signer is its subject. */
export async function openRecord(envelope: Uint8Array): Promise<SignedRecord | RecordFault> {
  if (envelope.length > MAX_ENVELOPE_BYTES) {
    return 'record_too_long'
  }
  const read = readEnvelope(envelope)
  if (typeof read === 'string') {
    return read
  }
  const { sealed, form } = read
  try {
    if (!(await sealed.validate(FORMS[form].domain))) {
      return 'record_signature_wrong'
    }
  } catch {
    // Some key types throw for a signature of the wrong length.
    return 'record_signature_wrong'
  }
  return readPayload(sealed, form, envelope, exactText)
}

/** Makes and signs a record of the key's owner. */
export async function sealRecord(
  privateKey: PrivateKey,
  { addresses, seq, form }: { readonly addresses: readonly string[]; readonly seq: bigint; readonly form: RecordForm },
): Promise<Uint8Array> {
  const peerId = peerIdFromPrivateKey(privateKey)
  const record = new Payload({ peerId, multiaddrs: addresses.map((each) => multiaddr(each)), seqNumber: seq })
  record.domain = FORMS[form].domain
  record.codec = Uint8Array.from(FORMS[form].payloadType)
  return (await RecordEnvelope.seal(record, privateKey)).marshal()
}

/** Reads an envelope that was verified before it was stored, in a place that no remote peer can change. */
export function reopenRecord(envelope: Uint8Array): SignedRecord | RecordFault {
  const read = readEnvelope(envelope)
  return typeof read === 'string' ? read : readPayload(read.sealed, read.form, envelope, String)
}

/**
 * The form in which an envelope claims to be signed, unverified. Undefined for bytes that are no envelope of a record.
 */
export function formOfEnvelope(envelope: Uint8Array): RecordForm | undefined {
  const read = readEnvelope(envelope)
  return typeof read === 'string' ? undefined : read.form
}

interface Form {
  /** The purpose that is signed; a signature for another purpose does not pass for a record. */
  readonly domain: string
  readonly payloadType: Uint8Array
}

const FORMS: Readonly<Record<RecordForm, Form>> = {
  standard: { domain: Payload.DOMAIN, payloadType: Payload.CODEC },
  'routing-state': { domain: 'libp2p-routing-state', payloadType: Buffer.from('/libp2p/routing-state-record') },
}

function readEnvelope(envelope: Uint8Array): { sealed: RecordEnvelope; form: RecordForm } | RecordFault {
  let sealed: RecordEnvelope
  try {
    sealed = RecordEnvelope.createFromProtobuf(envelope)
  } catch {
    return 'record_not_an_envelope'
  }
  // The library verifies any envelope; that it is a record and not something else that the peer signed is checked
  // here.
  const payloadType = Buffer.from(sealed.payloadType.subarray())
  const form = (['standard', 'routing-state'] as const).find((each) => payloadType.equals(FORMS[each].payloadType))
  return form === undefined ? 'record_of_another_kind' : { sealed, form }
}

function readPayload(
  sealed: RecordEnvelope,
  form: RecordForm,
  envelope: Uint8Array,
  textOf: (address: Multiaddr) => string,
): SignedRecord | RecordFault {
  let signer: PeerId
  try {
    signer = peerIdFromPublicKey(sealed.publicKey)
  } catch {
    return 'record_key_unsupported'
  }
  let payload: Payload
  let addresses: string[]
  try {
    payload = Payload.createFromProtobuf(sealed.payload)
    addresses = payload.multiaddrs.slice(0, MAX_RECORD_ADDRESSES).map(textOf)
  } catch {
    return 'record_not_readable'
  }
  // The library does not compare the signer with the subject: any peer could sign a record about any other.
  if (!payload.peerId.equals(signer)) {
    return 'record_signer_mismatch'
  }
  if (payload.seqNumber > MAX_SEQ) {
    return 'record_seq_out_of_range'
  }
  if (addresses.length === 0 || payload.multiaddrs.length > MAX_RECORD_ADDRESSES) {
    return 'record_addresses_count'
  }
  return { form, peerId: payload.peerId.toString(), seq: payload.seqNumber, addresses, envelope }
}

/**
 * The text of an address. Throws when its bytes are not the encoding of that text: the library takes lengths and codes
 * that others refuse, and one address that rust-libp2p can't read makes its client fail on the whole answer.
 */
function exactText(address: Multiaddr): string {
  const text = address.toString()
  if (!Buffer.from(multiaddr(text).bytes).equals(address.bytes)) {
    throw new TypeError('the address is not encoded as it is written')
  }
  return text
}
