import { type Client, Crowd, join } from '../clients.ts'
import { KnownPeers } from '../known-peers.ts'
import { cpuPer, type Measurement, paired, type Row } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'
import { CLIENTS } from './cold-join.ts'

/** What the others are held against. */
const FEW = 10
/** Of the clients themselves there are more, so that both sides can give as many. */
const SAME_SIZE = 10
const BOUND = 1.2

/**
 * The same join at a server that knows so many, paired with one that knows ten. With answers of the same size it is
 * what the table costs; by default the answer is six times as long where many are known, and that is in its figure.
 */
export function joinsByKnown(count: number): Measurement {
  const kinds = [
    { name: `cold join, ${SAME_SIZE} records in each answer, ${count} known`, limit: SAME_SIZE },
    { name: `cold join, as many records as there are up to 250, ${count} known`, limit: undefined },
  ]
  return {
    rows: kinds.map(({ name }) => name),
    async measure({ pairs, times }, wanted) {
      await using crowd = await Crowd.start(CLIENTS)
      await using fewKnown = await KnownPeers.write(FEW)
      await using manyKnown = await KnownPeers.write(count)
      await using few = await ServerProcess.ours('--file', fewKnown.path)
      await using many = await ServerProcess.ours('--file', manyKnown.path)
      const rows: Row[] = []
      for (const { name, limit } of kinds.filter((kind) => wanted(kind.name))) {
        const renew = (to: ServerProcess) => (client: Client) =>
          join(client, to.address, { address: client.address, ...(limit === undefined ? {} : { limit }) })
        for (const server of [few, many]) {
          await crowd.each(1, renew(server))
          await server.settle()
        }
        const cpuOf = (to: ServerProcess) => () => cpuPer(to, CLIENTS * times, () => crowd.each(times, renew(to)))
        const figures = await paired(pairs, cpuOf(many), cpuOf(few))
        const recordsOf = async (to: ServerProcess) => countRecords(await renew(to)(crowd.clients[0]!))
        const note = `${await recordsOf(many)} records against ${await recordsOf(few)}; no snapshot meanwhile`
        rows.push({ name, unit: 'ms CPU', ...figures, bound: BOUND, note })
      }
      return rows
    },
  }
}

function countRecords(answer: Buffer): number {
  return (JSON.parse(answer.toString()) as readonly unknown[]).length
}
