import { accessList } from '../../src/policy/access-list.ts'
import type { AdmissionRules } from '../../src/policy/admission.ts'

/** The rules of a node with default settings. */
export const RULES: AdmissionRules = {
  networks: undefined,
  maxNetworks: 1000,
  maxRegistrations: 250_000,
  maxPeersPerNetwork: 200_000,
  allowForeignIp: false,
  allowPrivateIp: false,
  unlimitedNeighbours: false,
  access: accessList({ deny: [], allow: [] }),
}
