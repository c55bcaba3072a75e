export { type HostInit, hostOptions } from './host/libp2p.ts'
export { type BootstrapPeer, type BootstrapPeerInit, createBootstrapPeer, type NodeStatus } from './node.ts'
export { type BootstrapService, bootstrapService } from './service/service.ts'
export type {
  BootstrapServiceComponents,
  BootstrapServiceEvents,
  BootstrapServiceInit,
} from './service/service-init.ts'
export type { BootstrapStatus } from './service/status.ts'
export { fileStore } from './store/file/file-store.ts'
export { memoryStore } from './store/memory-store.ts'
export type {
  ListEdit,
  RefusedEdit,
  Store,
  TakenEdit,
  UneditedList,
  UnreadableEdit,
  UselessEntries,
  UselessEntry,
} from './store/store.ts'
export { BOOTSTRAP_PROTOCOL } from './wire/bootstrap-codec.ts'
