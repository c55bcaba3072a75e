// The public API of the package.

export type { ExchangesStatus } from './frontends/exchanges/exchanges.ts'
export type { GuardCounters, HangUp, Refusal as ConnectionRefusal } from './host/guard/guard-counters.ts'
export type { GuardService, GuardStatus } from './host/guard/guard-service.ts'
export type { LoopWait } from './host/guard/recent-waits.ts'
export type { HostInit } from './host/host-init.ts'
export type { IdentifiedComponents } from './host/identified.ts'
export type { Disabled, Optimization, Protection } from './host/switches.ts'
export { type HostServices, type OwnOptions, withHost } from './host/with-host.ts'
export {
  IdentityError,
  type IdentityFault,
  type LoadIdentityOptions,
  type LoadOrCreateIdentityOptions,
  loadOrCreateIdentity,
} from './identity/key-file.ts'
export {
  type BootstrapLibp2p,
  type BootstrapPeer,
  type BootstrapPeerInit,
  createBootstrapPeer,
  type NodeStatus,
} from './node.ts'
export type { Caller } from './peer/caller.ts'
export type { Ip, Scope } from './peer/ip.ts'
export type {
  Change,
  RegistrationKey,
  RegistrationRecord,
  StaticEntry,
  StaticRegistration,
} from './registry/registration.ts'
export type { Counters } from './service/counters.ts'
export { type BootstrapService, bootstrapService } from './service/service.ts'
export type {
  BootstrapServiceComponents,
  BootstrapServiceEvents,
  BootstrapServiceInit,
} from './service/service-init.ts'
export type { BootstrapStatus } from './service/status.ts'
export { type FileStoreInit, fileStore } from './store/file/disk-store.ts'
export { memoryStore } from './store/memory-store.ts'
export {
  type Contents,
  type EditableStore,
  EditPendingError,
  type ListEdit,
  type Merged,
  type Recovered,
  type RefusedEdit,
  type Store,
  StoreLockedError,
  type StoreState,
  StoreUnavailableError,
  StoreUnusableError,
  type Table,
  type TakenEdit,
  type UneditedList,
  type UnreadableEdit,
  type UnservedEntries,
  type UselessEntries,
  type UselessEntry,
} from './store/store.ts'
export { BOOTSTRAP_PROTOCOL } from './wire/bootstrap-codec.ts'
