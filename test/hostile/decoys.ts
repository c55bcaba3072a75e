import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { RawCaller } from './raw-caller.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import type { Victim } from './victim.ts'

/** Addresses of this machine that the caller does not come from. */
const ELSEWHERE = ['127.0.0.2', '127.0.0.3', '127.1.2.3', '127.255.255.254']

/** Listeners that nobody may be talked into dialling: other addresses, unix sockets, names that lead here. */
export async function decoys(victim: Victim): Promise<Figure[]> {
  let touched = 0
  const touch = () => touched++
  const path = join(victim.folder, 'decoy.sock')
  const unix = await listening(createServer(touch), path)
  const tcp = await Promise.all(ELSEWHERE.map((host) => listening(createServer(touch), 0, host)))
  const ports = tcp.map((server) => (server.address() as { port: number }).port)
  const six = await listening(createServer(touch), 0, '::1').catch(() => undefined)
  const sixPort = (six?.address() as { port: number } | null | undefined)?.port ?? 4001

  const targets = [
    `/unix/${encodeURIComponent(path)}`,
    `/unix${path}`,
    `/unix/${path.slice(1).replaceAll('/', '%2F')}`,
    path,
    `unix:${path}`,
    `/ip6/::1/tcp/${sixPort}`,
    `[::1]:${sixPort}`,
    ...ELSEWHERE.flatMap((host, i) => [
      `/ip4/${host}/tcp/${ports[i]}`,
      `${host}:${ports[i]}`,
      `/ip6/::ffff:${host}/tcp/${ports[i]}`,
      `/ip6/64:ff9b::${hex(host)}/tcp/${ports[i]}`,
      `/ip6/::${hex(host)}/tcp/${ports[i]}`,
      `/ip6/2002:${hex(host)}::/tcp/${ports[i]}`,
      `/dns4/${host}.nip.io/tcp/${ports[i]}`,
      `/dns4/${host}/tcp/${ports[i]}`,
      `/ip4/127.0.0.1/tcp/1/p2p-circuit/ip4/${host}/tcp/${ports[i]}`,
      `/ip4/${host}/ipcidr/32/tcp/${ports[i]}`,
    ]),
  ]
  const caller = new RawCaller(victim.target)
  let refused = 0
  for (const address of targets) {
    const line = Buffer.from(`${JSON.stringify({ address, network: 'decoy', explain: true })}\n`)
    const { answer } = await caller.exchange([line])
    refused += answer.includes('"status":"refused"') ? 1 : 0
  }
  await caller.hangUp()
  for (const server of [unix, six, ...tcp]) {
    server?.close()
  }
  return [
    atLeast('decoys', 'addresses refused', refused, targets.length),
    atMost('decoys', 'decoys touched', touched, 0),
  ]
}

async function listening(server: Server, at: number | string, host?: string): Promise<Server> {
  const ready = once(server, 'listening')
  if (typeof at === 'string') {
    server.listen(at)
  } else {
    server.listen(at, host)
  }
  await ready
  return server
}

/** `127.0.0.2` as two groups of an IPv6 address. */
function hex(ip: string): string {
  const [a, b, c, d] = ip.split('.').map(Number) as [number, number, number, number]
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
