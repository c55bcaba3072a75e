import type { ChildProcess } from 'node:child_process'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { Forked, type Ready } from './forked.ts'
import type { Usage } from './report.ts'
import type { Stalls } from './stall-watch.ts'
import type { Wire } from './wire-count.ts'

/** A server in a process of its own, so that its CPU is told apart from its clients'. */
export class ServerProcess extends Forked {
  readonly address: Multiaddr

  private constructor(child: ChildProcess, ready: Ready) {
    super(child, ready)
    this.address = multiaddr(ready.address)
  }

  static override async start(script: string, args: readonly string[]): Promise<ServerProcess> {
    return new ServerProcess(...(await Forked.launch(script, args)))
  }

  /** Our node; see server.ts for what it can be told. */
  static async ours(...args: readonly string[]): Promise<ServerProcess> {
    return await ServerProcess.start('./server.ts', args)
  }

  static async baseline(answerBytes: number, ...args: readonly string[]): Promise<ServerProcess> {
    return await ServerProcess.start('./baseline.ts', [String(answerBytes), ...args])
  }

  /** How long it took to start, ms, without the process itself. */
  get startMs(): number {
    return this.ready.startMs
  }

  /** What it has used so far. */
  usage(): Promise<Usage> {
    return this.ask('usage')
  }

  /** The same, with no garbage in it. */
  collect(): Promise<Usage> {
    return this.ask('collect')
  }

  /** µs, so far. */
  async cpu(): Promise<number> {
    return (await this.usage()).cpu
  }

  /** From now on the stalls of the event loop are watched; what was before is forgotten. */
  watchStalls(): Promise<void> {
    return this.ask('watchStalls')
  }

  /** Since {@link watchStalls}, however often it is asked. */
  stalls(): Promise<Stalls> {
    return this.ask('stalls')
  }

  /** Counts what goes through sockets that are accepted from now on. */
  countWire(): Promise<void> {
    return this.ask('countWire')
  }

  /** Since {@link countWire}, once all of the sockets are closed. */
  wire(): Promise<Wire> {
    return this.ask('wire')
  }

  /** Ours only: waits for the first snapshot after the start, and lets none begin any more but by {@link snapshot}. */
  settle(): Promise<void> {
    return this.ask('settle')
  }

  /** Ours only: writes a snapshot. Resolves when it is over, to how long it took, ms. */
  snapshot(): Promise<number> {
    return this.ask('snapshot')
  }
}
