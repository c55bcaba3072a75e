import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Usage } from './report.ts'

interface Ready {
  readonly address: string
  readonly startMs: number
}

/** A server in a process of its own, so that its CPU is told apart from its clients'. */
export class ServerProcess implements AsyncDisposable {
  readonly address: Multiaddr
  /** How long it took to start, ms, without the process itself. */
  readonly startMs: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child
    this.address = multiaddr(ready.address)
    this.startMs = ready.startMs
  }

  static async start(script: string, args: readonly string[]): Promise<ServerProcess> {
    const child = fork(new URL(script, import.meta.url), args, { execArgv: ['--expose-gc'] })
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${script} exited with ${code} before it was ready`)
    })
    const [message] = (await Promise.race([once(child, 'message'), exited])) as [Ready]
    exited.catch(() => {})
    return new ServerProcess(child, message)
  }

  /** What it has used so far. `collect` makes it collect garbage before it looks. */
  async usage(collect = false): Promise<Usage> {
    const answer = once(this.#child, 'message')
    this.#child.send(collect ? 'collect' : 'usage')
    const [usage] = (await answer) as [Usage]
    return usage
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.send('exit')
    await exited
  }
}
