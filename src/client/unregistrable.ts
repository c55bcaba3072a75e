// Says in a sentence why a node has no address that a bootstrap would take.

import type { AddressManager } from '@libp2p/interface-internal'
import { addressesToRegister, familiesOf } from './addresses-to-register.ts'
import { type AddressSource, ownAddresses } from './own-addresses.ts'

/** The most addresses that the reason names. */
const MAX_NAMED = 4

/**
 * Returns why a node that listens has no address that bootstraps at these addresses take, in one sentence; undefined when
 * it has one, does not listen, or there is no bootstrap.
 */
export function unregistrableOf(
  source: AddressSource & Pick<AddressManager, 'getListenAddrs'>,
  bootstraps: readonly string[],
): string | undefined {
  const listens = source.getListenAddrs().map(String)
  const own = ownAddresses(source)
  if (listens.length === 0 || bootstraps.length === 0 || addressesToRegister(own, bootstraps).length > 0) {
    return undefined
  }
  const addresses = own.announced.length > 0 ? own.announced : listens
  const families = [...familiesOf(bootstraps)].map((family) => `IPv${family}`).join(' or ')
  return `It has ${addresses.slice(0, MAX_NAMED).join(', ')}; its bootstraps dial back over TCP in ${families}`
}
