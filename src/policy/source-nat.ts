// Detects a source NAT in front of the node.

import type { Caller } from '../peer/caller.ts'

/**
 * How many different peers behind one private IP, and no other IP, mean a NAT in front of the node instead of a
 * machine.
 */
export const SUSPICIOUS_PEERS = 8

/**
 * Detects a source NAT (a load balancer, a container's proxy) in front of the node: every caller then seems to come
 * from one private IP, so the rule that a peer registers only its own IP can't tell callers apart.
 */
export class SourceNatWatch {
  readonly #peers = new Set<string>()
  #ip: string | undefined
  #settled = false

  /** Observes a caller. Returns a warning, once, when there is enough evidence. */
  see({ peerId, ip, scope }: Caller): string | undefined {
    if (this.#settled) {
      return undefined
    }
    this.#ip ??= ip.text
    if (scope === 'public' || scope === 'loopback' || this.#ip !== ip.text) {
      this.#settled = true
      this.#peers.clear()
      return undefined
    }
    this.#peers.add(peerId)
    if (this.#peers.size < SUSPICIOUS_PEERS) {
      return undefined
    }
    this.#settled = true
    return (
      `all ${this.#peers.size} peers so far came from ${ip.text}, a private IP: a NAT or a proxy in front of this node ` +
      'hides where callers are, so their public addresses are refused; let it pass the source address on'
    )
  }
}
