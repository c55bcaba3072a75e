import { type ChildProcess, execFileSync, spawn } from 'node:child_process'

/** As root, or as a user who may have a namespace of users too. */
const WAYS = [['--net'], ['--net', '--map-root-user']]

/** Public ranges on the loopback device. There is no other device, so nothing leaves. */
const SET_UP = [
  'ip link set lo up',
  'ip address add 45.0.0.0/8 dev lo',
  'ip address add 10.7.0.0/16 dev lo',
  'ip -6 route add local 2a00::/16 dev lo',
  'sysctl -q -w net.ipv6.ip_nonlocal_bind=1',
].join(' && ')

/** Whether {@link spawnInNamespace} can be had here; why not, if not. */
export function namespaceFault(): string | undefined {
  return wayIn() === undefined ? 'no network namespaces here' : undefined
}

/** Node in a network namespace of its own that has 45.0.0.0/8, 10.7.0.0/16, 2a00::/16 and loopback, and nothing else. */
export function spawnInNamespace(args: readonly string[], cwd?: string): ChildProcess {
  const command = ['unshare', ...wayIn()!, 'sh', '-c', `${SET_UP} && exec "$0" "$@"`, process.execPath, ...args]
  return spawn(command[0]!, command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}

function wayIn(): readonly string[] | undefined {
  return WAYS.find((way) => {
    try {
      execFileSync('unshare', [...way, 'sh', '-c', SET_UP], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}
