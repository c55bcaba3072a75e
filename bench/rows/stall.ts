import { type Client, Crowd, join } from '../clients.ts'
import { Forked } from '../forked.ts'
import { KnownPeers } from '../known-peers.ts'
import { type Measurement, median } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'
import type { Stalls } from '../stall-watch.ts'

/** The limits let so many join 80 times a second for ever. More would keep the server from a core, and time is what counts. */
const CLIENTS = 16
const BOUND_MS: Readonly<Record<number, number>> = { 100000: 20, 1000000: 100 }
/** The sweep goes on in slices, one in each tick of 250 ms (rendezvous-point.ts): twenty of them at the least. */
const SWEEP_MS = 5000

/** How long the event loop stands still while peers register, whole snapshots are written and sweeps come round. */
export function stallWith(count: number): Measurement {
  const name = `longest stall under snapshots and sweeps, ${count} known`
  return {
    rows: [name],
    async measure({ snapshots }) {
      await using crowd = await Crowd.start(CLIENTS)
      await using list = await KnownPeers.write(count)
      await using server = await ServerProcess.ours('--file', list.path)
      await using bystander = await Forked.start('./bystander.ts', [])
      const renew = (client: Client) => join(client, server.address, { address: client.address })
      await crowd.each(5, renew)
      await server.settle()
      const rounds: Round[] = []
      let joins = 0
      for (let i = 0; i < snapshots; i++) {
        await Promise.all([server.watchStalls(), bystander.ask('watchStalls')])
        const sweptAt = performance.now() + SWEEP_MS
        let written = false
        const snapshot = server.snapshot().finally(() => {
          written = true
        })
        await Promise.all(
          crowd.clients.map(async (client) => {
            while (!written || performance.now() < sweptAt) {
              await renew(client)
              joins++
            }
          }),
        )
        const { stall: others } = await bystander.ask<Stalls>('stalls')
        rounds.push({ ...(await server.stalls()), others, took: await snapshot })
      }
      const longest = Math.max(...rounds.map(({ stall }) => stall))
      const bound = BOUND_MS[count]
      return [
        { name, unit: 'ms', ours: longest, ...(bound === undefined ? {} : { bound }), note: noteOf(rounds, joins) },
      ]
    },
  }
}

interface Round extends Stalls {
  /** The longest that a process stood still which did nothing, ms. */
  readonly others: number
  /** How long the snapshot took, ms. */
  readonly took: number
}

function noteOf(rounds: readonly Round[], joins: number): string {
  const each = (of: (round: Round) => number) => rounds.map((round) => of(round).toFixed(0)).join(', ')
  return [
    `${rounds.length} snapshots of ${median(rounds.map(({ took }) => took)).toFixed(0)} ms, sweeps in each, ${joins} joins`,
    `longest stall in each ${each(({ stall }) => stall)} ms`,
    `of these collecting garbage ${each(({ collection }) => collection)}`,
    `an idle process meanwhile ${each(({ others }) => others)}`,
  ].join('; ')
}
