// The public API of the client: `bootstrap-peer/client`.

export type { Clock } from '../base/clock.ts'
export type { Random } from '../base/random.ts'
export type { RecordForm } from '../peer/record.ts'
export type { Status as RendezvousStatus } from '../wire/rendezvous-messages.ts'
export type { Family } from './addresses-to-register.ts'
export type { BootstrapAnswer, RegistrationOutcome } from './bootstrap-answer.ts'
export {
  type AddressesToRegister,
  BootstrapClient,
  type BootstrapClientInit,
  type CallOptions,
  type Dialer,
  type RegisterOptions,
} from './bootstrap-client.ts'
export { BootstrapError, type BootstrapErrorCode } from './bootstrap-error.ts'
export type { BootstrapSources } from './discovery/bootstrap-list.ts'
export { type BootstrapDiscovery, bootstrapDiscovery } from './discovery/discovery.ts'
export type { DiscoveryEvent } from './discovery/discovery-events.ts'
export type { BootstrapDiscoveryComponents, BootstrapDiscoveryInit } from './discovery/discovery-init.ts'
export type { ResolveTxt } from './discovery/dnsaddr.ts'
export type { KeptPeer, PeerKeeperComponents, PeerKeeperInit } from './keeper/keeper-init.ts'
export { type PeerKeeper, peerKeeper } from './keeper/peer-keeper.ts'
export type { OfferedAddress, OfferedPeer } from './offered-peers.ts'
export {
  RendezvousClient,
  type RendezvousDialer,
  RendezvousError,
  type RendezvousPage,
  type RendezvousPeer,
} from './rendezvous-client.ts'
export type {
  RendezvousClientInit,
  RendezvousDiscoverOptions,
  RendezvousRegisterOptions,
} from './rendezvous-options.ts'
export type { Scheduler } from './scheduler.ts'
