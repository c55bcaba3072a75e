import { type Client, Crowd, join } from '../clients.ts'
import { cpuPer, type Measurement, paired } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'

/** More than what a renewal may do at once: the limits by peer stay on. */
export const CLIENTS = 32

/** Dial, handshake, renew, list, hang up. */
export const coldJoin = coldJoinRow('cold join', { bound: 0.75 })
export const coldJoinWithIdentify = coldJoinRow('cold join, client with identify', { withIdentify: true })
/** What the optimizations bring. Only on demand. */
export const coldJoinUnoptimized = coldJoinRow('cold join, every optimization off', { server: ['--unoptimized'] })

interface Kind {
  readonly withIdentify?: boolean
  /** Arguments of our server. */
  readonly server?: readonly string[]
  readonly bound?: number
}

function coldJoinRow(name: string, { withIdentify = false, server = [], bound }: Kind): Measurement {
  return {
    rows: [name],
    async measure({ pairs, times }) {
      await using crowd = await Crowd.start(CLIENTS, { withIdentify })
      await using ours = await ServerProcess.ours(...server)
      const renew = (to: ServerProcess) => (client: Client) => join(client, to.address, { address: client.address })
      await crowd.each(1, renew(ours))
      await ours.settle()
      const answer = await renew(ours)(crowd.clients[0]!)
      await using baseline = await ServerProcess.baseline(answer.length, ...(withIdentify ? ['--identify'] : []))
      const cpuOf = (to: ServerProcess) => () => cpuPer(to, CLIENTS * times, () => crowd.each(times, renew(to)))
      const figures = await paired(pairs, cpuOf(ours), cpuOf(baseline))
      return [{ name, unit: 'ms CPU', ...figures, ...(bound === undefined ? {} : { bound }) }]
    },
  }
}
