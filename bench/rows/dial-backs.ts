import { Crowd, handshake, join, request } from '../clients.ts'
import { DialBacks } from '../dial-backs.ts'
import { cpuPer, type Measurement, paired } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'
import { CLIENTS } from './cold-join.ts'

const FIRST = 'first registration with its dial-back, against a handshake'
const AGAIN = 're-proof of a peer, against a handshake'

/** A peer may hold 64 registrations (admission.ts), so no more first ones of it than these can be measured. */
const MAX_FIRST = 60

/**
 * A cold join that registers for the first time: the node dials back before it answers. Beside it a bare handshake with
 * the same node, from dial to hang-up, so that the ratio is in handshakes.
 */
export const firstRegistration: Measurement = {
  rows: [FIRST],
  async measure({ pairs, times }) {
    await using crowd = await Crowd.start(CLIENTS)
    await using ours = await ServerProcess.ours()
    using dialBacks = new DialBacks()
    await ours.settle()
    const each = Math.min(times, Math.floor(MAX_FIRST / (pairs + 1)))
    let network = 0
    // A network that is new each time: so is the registration.
    const registerFirst = async () => {
      const begin = network
      network += each
      await crowd.each(each, (client, time) =>
        join(client, ours.address, { address: client.address, network: `bench-${begin + time}` }),
      )
    }
    const shake = () => crowd.each(each, (client) => handshake(client, ours.address))
    const operations = CLIENTS * each
    const figures = await paired(
      pairs,
      () => cpuPer(ours, operations, registerFirst),
      () => cpuPer(ours, operations, shake),
    )
    const dialled = dialBacks.count / (CLIENTS * network)
    return [{ name: FIRST, unit: 'ms CPU', ...figures, note: `the ratio is in handshakes; ${dialled} dial-backs each` }]
  },
}

/**
 * Peers this young are proved again after a third of it and a little, every 4 s, and there are so many of each client: 80 are
 * due each second, of some 330 that may be.
 */
const REPROVE_MS = 10_800
const NETWORKS = 10

/** What it costs the node to look again whether a listed peer is there; beside it a handshake with another such node. */
export const reProof: Measurement = {
  rows: [AGAIN],
  async measure({ pairs, times }) {
    await using crowd = await Crowd.start(CLIENTS)
    // In memory, and only of clients that listen here: whatever it dials is on loopback.
    await using proving = await ServerProcess.ours('--reprove', String(REPROVE_MS))
    await using calm = await ServerProcess.ours()
    using dialBacks = new DialBacks()
    await crowd.each(NETWORKS, (client, time) =>
      request(client, proving.address, { address: client.address, network: `bench-${time}` }),
    )
    await Promise.all(crowd.clients.map(({ node }) => node.hangUp(proving.address)))
    await dialBacks.more(CLIENTS * NETWORKS)
    const operations = CLIENTS * times
    const figures = await paired(
      pairs,
      () => cpuPer(proving, operations, () => dialBacks.more(operations)),
      () => cpuPer(calm, operations, () => crowd.each(times, (client) => handshake(client, calm.address))),
    )
    return [{ name: AGAIN, unit: 'ms CPU', ...figures, note: 'the ratio is in handshakes' }]
  },
}
