import { writeFile } from 'node:fs/promises'
import { base58btc } from 'multiformats/bases/base58'

/** Writes a list of so many peers that never were: valid PeerIds, loopback addresses. */
export async function preload(file: string, count: number): Promise<void> {
  const now = Date.now()
  const entries = Array.from({ length: count }, (_, i) => {
    const address = `/ip4/127.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/tcp/4001/p2p/${peerIdNumber(i)}`
    const [registeredAt, expiresAt] = [now, now + 72 * 3_600_000].map((ms) => new Date(ms).toISOString())
    return JSON.stringify({ address, registeredAt, expiresAt })
  })
  await writeFile(file, `[\n${entries.join(',\n')}\n]\n`)
}

/** An Ed25519 PeerId whose key nobody has: the identity multihash of a public key that counts. */
function peerIdNumber(i: number): string {
  const bytes = Buffer.alloc(38)
  bytes.write('002408011220', 'hex')
  bytes.writeUInt32BE(i, 6)
  return base58btc.baseEncode(bytes)
}
