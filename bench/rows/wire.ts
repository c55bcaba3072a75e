import { type Client, Crowd, join } from '../clients.ts'
import type { Measurement } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'
import type { Wire } from '../wire-count.ts'

/** They answer with as many bytes: the list is of these. */
const CLIENTS = 32

const FIGURES = [
  ['socket writes of the server a cold join', 'writes', 'writes'],
  ['bytes the server sends a cold join', 'bytes', 'sent'],
  ['bytes the server receives a cold join', 'bytes', 'received'],
] as const satisfies ReadonlyArray<readonly [name: string, unit: string, of: keyof Wire]>

/** What a cold join puts on the wire. Counted, so once is enough. */
export const wire: Measurement = {
  rows: FIGURES.map(([name]) => name),
  async measure({ times }) {
    await using crowd = await Crowd.start(CLIENTS)
    await using ours = await ServerProcess.ours()
    const renew = (to: ServerProcess) => (client: Client) => join(client, to.address, { address: client.address })
    await crowd.each(2, renew(ours))
    const answer = await renew(ours)(crowd.clients[0]!)
    await using baseline = await ServerProcess.baseline(answer.length)
    const count = async (to: ServerProcess): Promise<Wire> => {
      await to.countWire()
      await crowd.each(times, renew(to))
      return await to.wire()
    }
    const [here, there] = [await count(ours), await count(baseline)]
    return FIGURES.map(([name, unit, of]) => {
      const [a, b] = [here[of] / here.sockets, there[of] / there.sockets]
      return { name, unit, ours: a, baseline: b, ratio: a / b, note: `answers of ${answer.length} bytes` }
    })
  },
}
