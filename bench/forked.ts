import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What it says when it is ready. */
export interface Ready {
  readonly address: string
  readonly startMs: number
}

interface Answer {
  readonly id: number
  readonly answer: unknown
}

/** A process of this folder's, that answers what report.ts lets it. */
export class Forked implements AsyncDisposable {
  readonly ready: Ready
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: unknown) => void>()
  #asked = 0

  protected constructor(child: ChildProcess, ready: Ready) {
    this.ready = ready
    this.#child = child
    child.on('message', ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
  }

  static async start(script: string, args: readonly string[]): Promise<Forked> {
    return new Forked(...(await Forked.launch(script, args)))
  }

  protected static async launch(script: string, args: readonly string[]): Promise<[ChildProcess, Ready]> {
    const child = fork(new URL(script, import.meta.url), args, { execArgv: ['--expose-gc'] })
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${script} exited with ${code} before it was ready`)
    })
    const [ready] = (await Promise.race([once(child, 'message'), exited])) as [Ready]
    exited.catch(() => {})
    return [child, ready]
  }

  get pid(): number {
    return this.#child.pid!
  }

  async ask<T = void>(question: string): Promise<T> {
    const id = this.#asked++
    const exit = new AbortController()
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve))
    this.#child.send({ id, question })
    const gone = once(this.#child, 'exit', { signal: exit.signal }).then(() => {
      throw new Error(`the process exited before it answered ${JSON.stringify(question)}`)
    })
    gone.catch(() => {})
    try {
      return (await Promise.race([answer, gone])) as T
    } finally {
      exit.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return
    }
    const exited = once(this.#child, 'exit')
    this.#child.send('exit')
    await exited
  }
}
