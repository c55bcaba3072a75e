import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Figure } from './report.ts'

/** As root, or as a user who may have a namespace of users too. */
const WAYS = [['--net'], ['--net', '--map-root-user']]

/** Public ranges on the loopback device; nothing leaves the namespace, for there is no other device. */
const SET_UP = [
  'ip link set lo up',
  'ip address add 45.0.0.0/8 dev lo',
  'ip address add 10.7.0.0/16 dev lo',
  'ip -6 route add local 2a00::/16 dev lo',
  'sysctl -q -w net.ipv6.ip_nonlocal_bind=1',
]

/** Runs a script in a network namespace with public ranges of its own; undefined where there are no namespaces to be had. */
export async function inNamespace(script: string): Promise<Figure[] | undefined> {
  const way = WAYS.find(canUnshare)
  if (way === undefined) {
    return undefined
  }
  const command = [...SET_UP, 'exec "$0" "$@"'].join(' && ')
  const child = spawn('unshare', [...way, 'sh', '-c', command, process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const figures: Figure[] = []
  createInterface({ input: child.stdout }).on('line', (line) => figures.push(JSON.parse(line)))
  const [code] = await once(child, 'close')
  if (code !== 0) {
    throw new Error(`${script} in a namespace of its own ended with ${code}`)
  }
  return figures
}

function canUnshare(way: readonly string[]): boolean {
  try {
    execFileSync('unshare', [...way, 'sh', '-c', SET_UP.join(' && ')], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
