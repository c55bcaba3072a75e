import type { Libp2pEvents, Listener, Startable, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'

export interface ConfirmAddressesComponents {
  readonly addressManager: Pick<AddressManager, 'confirmObservedAddr'>
  readonly events: TypedEventTarget<Libp2pEvents>
}

/**
 * Confirms the addresses that the node listens on, public ones too: the operator chose them. libp2p announces no
 * public address until AutoNAT has confirmed it. AutoNAT needs outbound connections and this node keeps none, so it
 * would announce its private addresses only.
 */
export class ConfirmAddresses implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer-own-addresses'
  readonly #components: ConfirmAddressesComponents

  constructor(components: ConfirmAddressesComponents) {
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
