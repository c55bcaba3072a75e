import { createServer } from 'node:net'
import { parseAddress } from '../peer/address.ts'

/**
 * Rejects with the system's EADDRINUSE when another process has an IPv6 port that is to be listened on.
 *
 * libp2p goes on without IPv6 when it listens on IPv4 and every IPv6 address fails, which is right on a machine that
 * has none. But where the port is taken, the node would silently miss half of its callers.
 */
export async function assertFree(listen: readonly string[]): Promise<void> {
  for (const address of listen) {
    const parsed = address.startsWith('/ip6/') ? parseAddress(address) : undefined
    if (parsed !== undefined && typeof parsed !== 'string') {
      await probe(parsed.address?.ip.text ?? '::', parsed.port)
    }
  }
}

async function probe(host: string, port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => (err.code === 'EADDRINUSE' ? reject(err) : resolve()))
    server.listen({ host, port, ipv6Only: true }, () => server.close(() => resolve()))
  })
}
