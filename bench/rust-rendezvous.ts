import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { run } from '../interop/process.ts'
import type { Measured } from './measure.ts'
import { processCpu } from './process-cpu.ts'

const CRATE = join(import.meta.dirname, '../interop/rust')
const PROGRAM = join(CRATE, 'target/release/rendezvous-crowd')
/** From empty caches, optimised, on two busy cores: 11 minutes. */
const BUILD_TIMEOUT_MS = 30 * 60_000
const VERSION_TIMEOUT_MS = 30_000

/** Makes sure that there is the program. Resolves to why there is none, if so. */
export async function missingRust({ build }: { readonly build: boolean }): Promise<string | undefined> {
  if (!build) {
    return existsSync(PROGRAM) ? undefined : "it is not built; 'npm run bench -- --only rust' builds it"
  }
  try {
    await run('cargo', ['--version'], { timeout: VERSION_TIMEOUT_MS })
  } catch {
    return 'cargo, which would build it, is not on PATH'
  }
  const what = ['--release', '--locked', '--quiet', '--bin', 'rendezvous-crowd']
  await run('cargo', ['build', ...what], { cwd: CRATE, timeout: BUILD_TIMEOUT_MS })
  return undefined
}

/** rust-libp2p's own rendezvous server, with so many peers registered. */
export class RustRendezvous implements AsyncDisposable, Measured {
  readonly address: Multiaddr
  readonly registered: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, address: string, registered: number) {
    this.#child = child
    this.address = multiaddr(address)
    this.registered = registered
  }

  static async start(namespace: string, count: number): Promise<RustRendezvous> {
    const child = spawn(PROGRAM, [namespace, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${PROGRAM} exited with ${code} before it was ready`)
    })
    const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited])) as [string]
    exited.catch(() => {})
    const { address, registered } = JSON.parse(line)
    return new RustRendezvous(child, address, registered)
  }

  cpu(): Promise<number> {
    return processCpu(this.#child.pid!)
  }

  /** It goes when its stdin does, so it does not outlive us either. */
  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.stdin!.end()
    await exited
  }
}
