import { type Address, type AddressFault, addressAt, parseAddress } from './address.ts'
import type { Caller } from './caller.ts'
import { samePeer } from './peer-id.ts'

/** The place that a caller's text names, `my port` filled in with the IP that it is seen at; or why it names none. */
export function targetOf(text: string, caller: Caller): Address | AddressFault | 'peer_mismatch' {
  const parsed = parseAddress(text)
  if (typeof parsed === 'string') {
    return parsed
  }
  if (parsed.peerId !== undefined && !samePeer(parsed.peerId, caller.peerId)) {
    return 'peer_mismatch'
  }
  return parsed.address ?? addressAt(caller.ip, parsed.port)
}
