import { randomBytes } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import type { RegistrationRecord } from '../../src/registry/registration.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

/** A PeerId that nobody has the key of. */
export function anyPeerId(): string {
  return peerIdFromPublicKey(publicKeyFromRaw(randomBytes(32))).toString()
}

/** Registrations of peers that are not there, each proved at `now`, at ports of one IP. An address has one living peer. */
export function knownPeers(
  count: number,
  {
    now,
    addresses = 1,
    network = '',
    ip = '127.0.0.1',
  }: { readonly now: number; readonly addresses?: number; readonly network?: string; readonly ip?: string },
): RegistrationRecord[] {
  return Array.from({ length: count * addresses }, (_, n) => n).reduce<RegistrationRecord[]>((records, n) => {
    const peerId = n % addresses === 0 ? anyPeerId() : records.at(-1)!.peerId
    const address = `/ip4/${ip}/tcp/${1024 + n}`
    records.push({ network, peerId, address, registeredAt: now, expiresAt: now + 7_200_000, provedAt: now })
    return records
  }, [])
}

/** A store that remembers these from before. */
export function storeOf(records: readonly RegistrationRecord[]): Store {
  const store = memoryStore()
  return {
    ...store,
    open: async () => ({ ...(await store.open()), records: [...records] }),
    // The spread above would keep the state as it was.
    get state() {
      return store.state
    },
  }
}
