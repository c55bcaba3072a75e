// Which status and text of the rendezvous protocol says why a request failed.

import { MAX_ENVELOPE_BYTES, MAX_NETWORK_BYTES } from '../../peer/limits.ts'
import { MAX_RECORD_ADDRESSES } from '../../peer/record.ts'
import type { RecordRefusal } from '../../point/point-api.ts'
import { refusal } from '../../policy/refusal.ts'
import type { FaultCode, Status } from '../../wire/rendezvous-messages.ts'

/** A status that is no success, with a text for the operator of the refused node. */
export interface Failure {
  readonly status: Exclude<Status, 'OK'>
  readonly statusText: string
}

/** The specification has few statuses for why a record is not registered; the text says the rest. */
export function failureOf(code: RecordRefusal): Failure {
  switch (code) {
    case 'record_too_long':
    case 'record_not_an_envelope':
    case 'record_of_another_kind':
    case 'record_signature_wrong':
    case 'record_key_unsupported':
    case 'record_signer_mismatch':
    case 'record_not_readable':
    case 'record_seq_out_of_range':
    case 'record_addresses_count':
    case 'record_seq_not_rising':
      return { status: 'E_INVALID_SIGNED_PEER_RECORD', statusText: RECORD_MESSAGES[code] }
    case 'address_too_long':
    case 'address_invalid':
    case 'address_unsupported':
    case 'address_not_canonical':
    case 'port_invalid':
    case 'port_not_allowed':
    case 'ip_special':
      return { status: 'E_INVALID_SIGNED_PEER_RECORD', statusText: refusal(code).message }
    case 'peer_mismatch':
    case 'ip_mismatch':
    case 'ip_private':
    case 'denied':
    case 'static':
    // Another peer answers there: the caller may not have it handed out as its own.
    case 'dial_wrong_peer':
    case 'dial_self':
      return { status: 'E_NOT_AUTHORIZED', statusText: refusal(code).message }
    case 'network_not_served':
      return { status: 'E_INVALID_NAMESPACE', statusText: refusal(code).message }
    case 'limit_networks':
    case 'limit_network':
    case 'limit_total':
    case 'limit_ip':
    case 'limit_subnet':
    case 'limit_range':
    case 'limit_peer':
    case 'dial_busy':
    // Nothing is wrong with the record; it may be registered as it is once the peer answers at an address of it.
    case 'dial_refused':
    case 'dial_timeout':
    case 'dial_unreachable':
    case 'dial_not_libp2p':
    case 'unavailable':
      return { status: 'E_UNAVAILABLE', statusText: refusal(code).message }
  }
}

const RECORD_MESSAGES = {
  record_too_long: `a signed peer record has at most ${MAX_ENVELOPE_BYTES} bytes`,
  record_not_an_envelope: 'not a signed envelope (RFC 0002)',
  record_of_another_kind: 'an envelope that holds no peer record',
  record_signature_wrong: 'the signature is wrong',
  record_key_unsupported:
    'the key of the signer is of a type that is not served here (ECDSA); use Ed25519, secp256k1 or RSA',
  record_signer_mismatch: 'the signer is not the peer that the record describes',
  record_not_readable: 'the peer record in the envelope cannot be read',
  record_seq_out_of_range: 'the sequence number is beyond 2^63 - 1',
  record_addresses_count: `a record names 1 to ${MAX_RECORD_ADDRESSES} addresses`,
  record_seq_not_rising: 'the sequence number has to be higher than that of your record before',
} as const

/** How a request that could not be read is answered. */
export function faultOf(fault: FaultCode, type: 'REGISTER' | 'DISCOVER'): Failure {
  switch (fault) {
    case 'namespace_invalid':
      return { status: 'E_INVALID_NAMESPACE', statusText: `a namespace is UTF-8 of at most ${MAX_NETWORK_BYTES} bytes` }
    case 'record_too_long':
      return { status: 'E_INVALID_SIGNED_PEER_RECORD', statusText: RECORD_MESSAGES.record_too_long }
    case 'cookie_too_long':
      return { status: 'E_INVALID_COOKIE', statusText: 'no cookie of this rendezvous point is as long' }
    case 'message_too_long':
      // Only a record or a cookie makes a request as long.
      return type === 'REGISTER' ? faultOf('record_too_long', type) : faultOf('cookie_too_long', type)
    case 'not_protobuf':
    case 'message_incomplete':
    case 'too_many_registrations':
      return { status: 'E_INTERNAL_ERROR', statusText: 'the message could not be read' }
  }
}
