import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { startLines } from './process.ts'
import type { Command } from './toolchains.ts'

/** A running program of `examples/`. */
export interface Example {
  /** The PeerIds of its first `count` peers. Rejects when they are fewer after `timeout` ms. */
  connected(count: number, timeout: number): Promise<ReadonlySet<string>>
}

/** Starts `<program> <bootstrap> <network> <port>`; gone with `scope` at the latest. */
export function startExample(
  scope: AsyncDisposableStack,
  [program, ...args]: Command,
  bootstrap: string,
  network: string,
  port: number,
): Example {
  const node = startLines(program, [...args, bootstrap, network, String(port)])
  scope.defer(async () => void (await node.end('SIGTERM')))
  return {
    async connected(count, timeout) {
      const deadline = performance.now() + timeout
      const peerIds = new Set<string>()
      for (let at = 0; peerIds.size < count; at++) {
        const line = await node.line(at, Math.max(0, Math.ceil(deadline - performance.now())))
        const [, peerId] = /^connected (\w+)$/.exec(line) ?? assert.fail(`it said ${line}`)
        peerIds.add(peerId!)
      }
      return peerIds
    },
  }
}

/** The programs take a port, and not 0. Another process could take it meanwhile. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
