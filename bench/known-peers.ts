import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { base58btc } from 'multiformats/bases/base58'
import type { RegistrationRecord } from '../src/registry/registration.ts'
import { fileStore } from '../src/store/file/file-store.ts'
import { newFolder } from '../test/support/temporary-folder.ts'

/** A list of so many peers on disk, in a folder of its own, for as long as it is in use. */
export class KnownPeers implements AsyncDisposable {
  readonly path: string
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'peers.json')
  }

  /**
   * Each proved just now, as the node's own store writes it: a list that was written by hand would be distrusted, and
   * its peers, who never were, dialled.
   */
  static async write(count: number): Promise<KnownPeers> {
    const list = new KnownPeers(await newFolder())
    const store = fileStore({ path: list.path, clock: Date.now })
    await store.open()
    const merge = () => ({ added: 0, removed: 0 })
    await store.compact({ records: () => knownPeers(count, Date.now()), statics: () => [], merge })
    await store.close()
    return list
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true })
  }
}

/** Peers with a public address each, 200 in a /16, that nobody has the key of. */
export function* knownPeers(count: number, now: number): Generator<RegistrationRecord> {
  for (let i = 0; i < count; i++) {
    const group = Math.floor(i / 200)
    // 11.0.0.0 to 99.255.0.0 and round again on other ports: 22,784 groups of /16.
    const [a, b] = [11 + (Math.floor(group / 256) % 89), group % 256]
    const [c, d] = [i % 200, 1 + (i % 250)]
    yield {
      network: '',
      peerId: peerIdNumber(i),
      address: `/ip4/${a}.${b}.${c}.${d}/tcp/${4001 + Math.floor(group / (89 * 256))}`,
      registeredAt: now,
      expiresAt: now + 72 * 3_600_000,
      provedAt: now,
    }
  }
}

/** An Ed25519 PeerId: the identity multihash of a public key that counts. */
function peerIdNumber(i: number): string {
  const bytes = Buffer.alloc(38)
  bytes.write('002408011220', 'hex')
  bytes.writeUInt32BE(i + 1, 6)
  return base58btc.baseEncode(bytes)
}
