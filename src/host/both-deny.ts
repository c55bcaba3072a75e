import type { ConnectionGater } from '@libp2p/interface'

/**
 * Returns a gater that denies what either of two denies. `second` is asked only for what `first` lets pass, so that its
 * own look-ups cost nothing for connections that are refused anyway.
 */
export function bothDeny(first: ConnectionGater, second: ConnectionGater): ConnectionGater {
  const both: ConnectionGater = {}
  for (const name of DENIALS) {
    const one: Denial | undefined = first[name]?.bind(first)
    const other: Denial | undefined = second[name]?.bind(second)
    const denial = one === undefined || other === undefined ? (one ?? other) : eitherOf(one, other)
    if (denial !== undefined) {
      both[name] = denial
    }
  }
  // Not a denial: true keeps the address.
  const filters = [first, second].filter((each) => each.filterMultiaddrForPeer !== undefined)
  if (filters.length > 0) {
    both.filterMultiaddrForPeer = async (peerId, address) => {
      for (const filter of filters) {
        if (!(await filter.filterMultiaddrForPeer?.(peerId, address))) {
          return false
        }
      }
      return true
    }
  }
  return both
}

type Denial = (...args: never[]) => boolean | Promise<boolean>

/** Asynchronous only where a gater is: libp2p holds a place for the connection while it waits. */
function eitherOf(one: Denial, other: Denial): Denial {
  return (...args) => {
    const denied = one(...args)
    return typeof denied === 'boolean' ? denied || other(...args) : denied.then((is) => is || other(...args))
  }
}

/** Every callback of a gater that denies. */
const DENIALS = [
  'denyDialPeer',
  'denyDialMultiaddr',
  'denyInboundConnection',
  'denyOutboundConnection',
  'denyInboundEncryptedConnection',
  'denyOutboundEncryptedConnection',
  'denyInboundUpgradedConnection',
  'denyOutboundUpgradedConnection',
  'denyInboundRelayReservation',
  'denyOutboundRelayedConnection',
  'denyInboundRelayedConnection',
] as const satisfies ReadonlyArray<keyof ConnectionGater>

/** A callback that a later libp2p adds must be listed above; the compiler says so. */
type Unlisted = Exclude<keyof ConnectionGater, (typeof DENIALS)[number] | 'filterMultiaddrForPeer'>
const ALL_LISTED: [Unlisted] extends [never] ? true : Unlisted = true
void ALL_LISTED
