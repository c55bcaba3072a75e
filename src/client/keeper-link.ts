// How the discovery and the peer keeper of one node find each other.

/**
 * How many peers a node wants to be connected to unless it says so: of a keeper, and of a discovery without one. Bitcoin
 * Core's number of full outbound connections.
 */
export const TARGET = 8

/** What a discovery asks of the keeper in the same node. */
export interface KeeperView {
  /** How many peers it wants to be connected to. */
  readonly target: number
}

/** By the `events` component, the one object that all modules of a libp2p node share under a fixed name. */
const keepers = new WeakMap<object, KeeperView>()

/** Makes a started keeper known to the discovery of its node. */
export function linkKeeper(events: object, keeper: KeeperView): void {
  keepers.set(events, keeper)
}

/** The keeper of a node; undefined when it has none, or none that has started. */
export function keeperOf(events: object): KeeperView | undefined {
  return keepers.get(events)
}

/** What a keeper asks of the discovery in the same node. */
export interface DiscoveryView {
  /**
   * The addresses that a peer was announced with, multiaddrs without `/p2p`, in the order to dial; undefined when it was not
   * announced. libp2p's peer store sorts addresses by their text and loses this order.
   */
  addressesOf(id: string): readonly string[] | undefined
}

const discoveries = new WeakMap<object, DiscoveryView>()

/** Makes a discovery known to the keeper of its node. */
export function linkDiscovery(events: object, discovery: DiscoveryView): void {
  discoveries.set(events, discovery)
}

/** The discovery of a node; undefined when it has none. */
export function discoveryOf(events: object): DiscoveryView | undefined {
  return discoveries.get(events)
}
