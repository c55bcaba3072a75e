import { type Client, Crowd, join } from '../clients.ts'
import { KnownPeers } from '../known-peers.ts'
import { cpuPer, type Measured, type Measurement, paired, type Scale } from '../measure.ts'
import { processCpu } from '../process-cpu.ts'
import { recordOf, rendezvousJoin } from '../rendezvous-join.ts'
import { missingRust, RustRendezvous } from '../rust-rendezvous.ts'
import { ServerProcess } from '../server-process.ts'
import { CLIENTS } from './cold-join.ts'

const NAMESPACE = 'bench'
/** What it scans grows with the crowd; below it is asked for where the crowd is large. */
const BOUND_CROWD = 40_000
/** Records that each asks for. */
const LIMIT = 100

/**
 * A cold join at our node beside one at rust-libp2p's own rendezvous server, each in its protocol: ours registers and
 * asks in one exchange, there it takes two. CPU of both is what the system counts.
 */
export function besideRust({ crowd: count }: Scale): Measurement {
  const name = `cold join, ${LIMIT} records, beside rust-libp2p's rendezvous server, ${count} known`
  return {
    rows: [name],
    async measure({ pairs, times, build }) {
      const skipped = await missingRust({ build })
      if (skipped !== undefined) {
        return [{ name, skipped }]
      }
      await using crowd = await Crowd.start(CLIENTS)
      await using rust = await RustRendezvous.start(NAMESPACE, count)
      await using list = await KnownPeers.write(count)
      await using ours = await ServerProcess.ours('--file', list.path)
      const records = new Map<Client, Uint8Array>()
      for (const client of crowd.clients) {
        records.set(client, await recordOf(client))
      }
      const atOurs = (client: Client) => join(client, ours.address, { address: client.address, limit: LIMIT })
      const atRust = (client: Client) =>
        rendezvousJoin(client, rust.address, { namespace: NAMESPACE, record: records.get(client)!, limit: LIMIT })
      await crowd.each(1, atOurs)
      await ours.settle()
      const cpuOf = (server: Measured, task: (client: Client) => Promise<unknown>) => () =>
        cpuPer(server, CLIENTS * times, () => crowd.each(times, task))
      const asSystemCounts: Measured = { cpu: () => processCpu(ours.pid) }
      const figures = await paired(pairs, cpuOf(asSystemCounts, atOurs), cpuOf(rust, atRust))
      const [first] = crowd.clients as [Client]
      const handed = (JSON.parse((await atOurs(first)).toString()) as readonly unknown[]).length
      const note = `${handed} records against ${await atRust(first)}; ${rust.registered} had registered there`
      return [{ name, unit: 'ms CPU', ...figures, ...(count >= BOUND_CROWD ? { bound: 1 } : {}), note }]
    },
  }
}
