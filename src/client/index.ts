export {
  type BootstrapAnswer,
  BootstrapClient,
  type BootstrapClientInit,
  type CallOptions,
  type Dialer,
  type RegisterOptions,
} from './bootstrap-client.ts'
export { BootstrapError, type BootstrapErrorCode } from './bootstrap-error.ts'
export type { OfferedAddress, OfferedPeer } from './offered-peers.ts'
