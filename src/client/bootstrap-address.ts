// Checks the configured address of a bootstrap, and reads the PeerId from it.

import { multiaddr } from '@multiformats/multiaddr'
import { canonicalPeerId } from '../peer/peer-id.ts'

/** For messages that say what to write. */
export const EXAMPLE_BOOTSTRAP = '/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…'

/** Names are taken from a configuration only, never from an answer. */
const DNSADDR = /^\/dnsaddr\/[^/\s]{1,253}(\/p2p\/[^/\s]{1,128})?$/
const ADDRESS = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]{1,253}\/tcp\/\d{1,5}\/p2p\/[^/\s]{1,128}$/

/** Returns why a text is not the address of a bootstrap, and what to write instead; undefined when it is one. */
export function bootstrapProblem(address: string): string | undefined {
  const shape = isDnsaddr(address) ? DNSADDR : ADDRESS
  if (shape.test(address)) {
    return isMultiaddrText(address)
      ? undefined
      : 'write /ip4/<IPv4>, /ip6/<IPv6> or /dns4/<name>, then /tcp/<port> and the whole PeerId, as the bootstrap shows them when it is ready'
  }
  if (address.trim() !== address && bootstrapProblem(address.trim()) === undefined) {
    return 'write it without the white space around it'
  }
  return ADDRESS.test(`${address}/p2p/x`)
    ? `write the PeerId of the bootstrap behind it: ${address}/p2p/12D3Koo…`
    : `write its multiaddr with its PeerId, such as ${EXAMPLE_BOOTSTRAP}, or /dnsaddr/<name>; it is reached over TCP only`
}

/** The PeerId at the end of a multiaddr, base58btc; undefined when there is none. */
export function peerIdOf(address: string): string | undefined {
  const [, text] = /\/p2p\/([^/]+)$/.exec(address) ?? []
  return text === undefined ? undefined : canonicalPeerId(text)
}

export function isDnsaddr(address: string): boolean {
  return address.startsWith('/dnsaddr/')
}

/** Whether the IP, the port and the PeerId are valid. libp2p takes port 0 for a valid one. */
function isMultiaddrText(address: string): boolean {
  try {
    multiaddr(address)
    return isDnsaddr(address) || (peerIdOf(address) !== undefined && !/\/tcp\/0+\//.test(address))
  } catch {
    return false
  }
}
