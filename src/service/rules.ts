import { accessList } from '../policy/access-list.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { type BootstrapServiceInit, MAX_NETWORKS, MAX_PEERS, MAX_PEERS_PER_NETWORK } from './service-init.ts'

/** The rules that the settings of the service make. */
export function rulesOf(init: BootstrapServiceInit): AdmissionRules {
  return {
    networks: init.networks === undefined ? undefined : new Set(init.networks),
    maxNetworks: init.maxNetworks ?? MAX_NETWORKS,
    maxRegistrations: init.maxPeers ?? MAX_PEERS,
    maxPeersPerNetwork: init.maxPeersPerNetwork ?? MAX_PEERS_PER_NETWORK,
    allowForeignIp: init.allowForeignIp ?? false,
    allowPrivateIp: init.allowPrivateIp ?? false,
    unlimitedNeighbours: init.unlimitedNeighbours ?? false,
    access: accessList({ deny: init.deny ?? [], allow: init.allow ?? [] }),
  }
}
