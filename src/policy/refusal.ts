import type { AddressFault } from '../peer/address.ts'

/**
 * Why an address is not listed. The set is closed, and every frontend maps all of it. Codes are on the wire and never
 * change; `docs/protocol.md` says what each means.
 */
export type RefusalCode =
  | AddressFault
  | 'peer_mismatch'
  | 'ip_mismatch'
  | 'ip_special'
  | 'ip_private'
  | 'port_not_allowed'
  | 'denied'
  | 'network_not_served'
  | 'limit_networks'
  | 'limit_network'
  | 'limit_total'
  | 'limit_ip'
  | 'limit_subnet'
  | 'limit_range'
  | 'limit_peer'
  | 'static'
  | 'unavailable'
  | ProofFault

/** Why no peer could be proved to answer at an address. */
export type ProofFault =
  | 'dial_refused'
  | 'dial_timeout'
  | 'dial_unreachable'
  | 'dial_wrong_peer'
  | 'dial_not_libp2p'
  | 'dial_self'
  | 'dial_busy'

/** A refusal as people read it. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
}

/** The message of each code, for the operator of the refused node: what is wrong, and what to change. */
const MESSAGES: Readonly<Record<RefusalCode, string>> = {
  address_too_long: 'the address is longer than 256 bytes',
  address_invalid: 'not an address; write /ip4/<IP>/tcp/<port>, /ip6/<IP>/tcp/<port> or <IP>:<port>',
  address_unsupported:
    'only literal IPv4 or IPv6 with TCP can be verified; names, relays and other transports are not listed',
  address_not_canonical: 'write the IP and the port in their canonical form, without leading zeros',
  port_invalid: 'a port is a number from 1 to 65535',
  peer_mismatch: 'the /p2p part names another peer; a peer registers only itself',
  ip_mismatch: 'the IP is not the one you are seen at; register it from there, or as /ip4/0.0.0.0/tcp/<port>',
  ip_special: 'no peer can be reached at this IP (multicast, reserved, documentation or translated range)',
  ip_private: 'a private IP is listed only for callers from that same range',
  port_not_allowed: 'ports below 1024 are not dialled, but for 80 and 443',
  denied: 'the operator of this bootstrap does not list you',
  network_not_served: 'this bootstrap does not serve this network',
  limit_networks: 'this bootstrap serves as many networks as it can',
  limit_network: 'this network has as many registrations as it may here',
  limit_total: 'this bootstrap holds as many registrations as it can',
  limit_ip: 'this IP has as many registrations as it may here',
  limit_subnet: 'the subnet of this IP has as many registrations as it may here',
  limit_range: 'this private range has as many registrations as it may here',
  limit_peer: 'this peer has as many registrations as it may here',
  static: 'the operator wrote this entry; only the operator takes it back',
  unavailable: 'the bootstrap cannot store the registration now; try again later',
  dial_refused: 'nothing listens there: the connection was refused; check the port and the firewall',
  dial_timeout: 'no answer: a firewall or a NAT drops packets to it; open or forward the port',
  dial_unreachable: 'the bootstrap has no route to this address',
  dial_wrong_peer: 'another peer answers there',
  dial_not_libp2p: 'something answers there, but not with a libp2p Noise handshake',
  dial_self: 'this is an address of the bootstrap itself',
  dial_busy: 'the dial-back limit of your subnet is reached; register again later',
}

/** All codes, in the order of {@link RefusalCode}. */
export const REFUSAL_CODES = Object.keys(MESSAGES) as readonly RefusalCode[]

export function refusal(code: RefusalCode): Refusal {
  return { code, message: MESSAGES[code] }
}
