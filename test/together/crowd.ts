import { type ChildProcess, fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { TARGET } from '../../src/client/keeper-init.ts'
import type { Scope } from '../support/last-first.ts'
import { Census } from './census.ts'
import type { Orders, Report } from './crowd-worker.ts'

const WORKER = fileURLToPath(import.meta.resolve('./crowd-worker.ts'))
/** Nodes of one process: each costs under half a megabyte, and all of them one thread. */
const PER_PROCESS = 125
/** The crowd stands for as many machines, and the bootstrap is one: it gives way to it. */
const NICENESS = 10

export interface CrowdInit {
  readonly bootstraps: readonly string[]
  /** The IP of each node. */
  readonly ips: readonly string[]
  /** How long after each other they start, ms: what this machine's cores can start. */
  readonly apart: number
}

/** Real libp2p nodes with the client, each at an IP of its own, in a few processes that are gone with the scope. */
export class Crowd {
  readonly census = new Census(TARGET)
  /** How often a registration was refused or pending, and an ask failed, by code. */
  readonly troubles = new Map<string, number>()

  static start(scope: Scope, { bootstraps, ips, apart }: CrowdInit): Crowd {
    const crowd = new Crowd()
    const processes = Math.ceil(ips.length / PER_PROCESS)
    const nodes = ips.map((ip, i) => ({ ip, after: i * apart }))
    for (let process = 0; process < processes; process++) {
      const child = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      scope.after(() => child.kill('SIGKILL'))
      const orders: Orders = { bootstraps, nodes: nodes.filter((_, i) => i % processes === process) }
      crowd.#employ(child, orders)
    }
    return crowd
  }

  #employ(child: ChildProcess, orders: Orders): void {
    setPriority(child.pid!, NICENESS)
    child.on('message', (batch: readonly Report[]) => {
      for (const report of batch) {
        this.#take(report)
      }
    })
    child.send(orders)
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
