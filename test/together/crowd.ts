import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TARGET } from '../../src/client/keeper-link.ts'
import type { Scope } from '../support/last-first.ts'
import { Census } from './census.ts'
import type { Order, Report } from './crowd-worker.ts'

const WORKER = fileURLToPath(import.meta.resolve('./crowd-worker.ts'))
/** A process is one thread; more of them than cores would only take the bootstrap's. */
const PROCESSES = 3

export interface CrowdInit {
  readonly bootstraps: readonly string[]
  /** The IP of each node. */
  readonly ips: readonly string[]
  /** How many may be without their peers at a time; the next one is started when one of them has them. */
  readonly unsettled: number
}

/** Real libp2p nodes with the client, each at an IP of its own, in a few processes that are gone with the scope. */
export class Crowd {
  readonly census = new Census(TARGET)
  /** How often a registration was refused or pending, and an ask failed, by code. */
  readonly troubles = new Map<string, number>()
  readonly #init: CrowdInit
  readonly #children: ChildProcess[] = []
  #ordered = 0

  private constructor(init: CrowdInit) {
    this.#init = init
  }

  static start(scope: Scope, init: CrowdInit): Crowd {
    const crowd = new Crowd(init)
    crowd.#start(scope)
    return crowd
  }

  #start(scope: Scope): void {
    for (let i = 0; i < PROCESSES; i++) {
      // A new space that is not full a hundred times a second.
      const child = fork(WORKER, {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: ['--max-semi-space-size=64'],
      })
      scope.after(() => child.kill('SIGKILL'))
      child.on('message', (batch: readonly Report[]) => {
        for (const report of batch) {
          this.#take(report)
        }
        this.#startMore()
      })
      this.#children.push(child)
    }
    this.#startMore()
  }

  #startMore(): void {
    const { ips, unsettled, bootstraps } = this.#init
    for (; this.#ordered < ips.length && this.#ordered - this.census.settled < unsettled; this.#ordered++) {
      const order: Order = { ip: ips[this.#ordered]!, bootstraps }
      this.#children[this.#ordered % PROCESSES]!.send(order)
    }
  }

  #take([id, at, what, detail]: Report): void {
    switch (what) {
      case 'disconnected':
        this.census.disconnected(id, detail)
        break
      case 'connected':
        this.census.connected(id, detail, at)
        break
      case 'refused':
      case 'failed':
        this.troubles.set(`${what} ${detail}`, (this.troubles.get(`${what} ${detail}`) ?? 0) + 1)
        break
      default:
        this.census[what](id, at)
    }
  }
}
