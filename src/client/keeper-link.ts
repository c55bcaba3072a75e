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
