import type { Libp2pEvents, Listener, Startable, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'

export interface OwnAddressesComponents {
  readonly addressManager: Pick<AddressManager, 'confirmObservedAddr'>
  readonly events: TypedEventTarget<Libp2pEvents>
}

/**
 * What the node listens on is its own, on the public internet too: the operator said so. libp2p says nothing of a public
 * address until AutoNAT has confirmed it, and a node that dials nobody has none: it would name its private ones only.
 */
export class OwnAddresses implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer-own-addresses'
  readonly #components: OwnAddressesComponents

  constructor(components: OwnAddressesComponents) {
    this.#components = components
  }

  start(): void {
    this.#components.events.addEventListener('transport:listening', this.#onListening)
  }

  stop(): void {
    this.#components.events.removeEventListener('transport:listening', this.#onListening)
  }

  readonly #onListening = ({ detail }: CustomEvent<Listener>): void => {
    for (const address of detail.getAddrs()) {
      this.#components.addressManager.confirmObservedAddr(address, { type: 'transport' })
    }
  }
}
