import { type Client, Crowd, request } from '../clients.ts'
import { KnownPeers } from '../known-peers.ts'
import { cpuPer, type Measurement, paired } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'
import { CLIENTS } from './cold-join.ts'

/** A request on a connection that is there. */
export const warmAsk = warmRow('warm ask of 250 records', 1.3, 20_000, () => ({}))
export const warmRenewal = warmRow('warm renewal, on disk before the answer', 1.5, 0, ({ address }) => ({
  address,
  limit: 0,
}))

function warmRow(name: string, bound: number, known: number, message: (client: Client) => object): Measurement {
  return {
    rows: [name],
    async measure({ pairs, times }) {
      await using crowd = await Crowd.start(CLIENTS)
      await using list = await KnownPeers.write(known)
      await using ours = await ServerProcess.ours('--file', list.path)
      await crowd.each(1, (client) => request(client, ours.address, { address: client.address }))
      await ours.settle()
      const serve = (to: ServerProcess) => (client: Client) => request(client, to.address, message(client))
      const answer = await serve(ours)(crowd.clients[0]!)
      await using baseline = await ServerProcess.baseline(answer.length)
      const cpuOf = (to: ServerProcess) => () => cpuPer(to, CLIENTS * times, () => crowd.each(times, serve(to)))
      const figures = await paired(pairs, cpuOf(ours), cpuOf(baseline))
      const records = (JSON.parse(answer.toString()) as readonly unknown[]).length
      return [{ name, unit: 'ms CPU', ...figures, bound, note: `${records} in an answer` }]
    },
  }
}
