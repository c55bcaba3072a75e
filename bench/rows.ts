import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { Libp2p } from 'libp2p'
import { addressOf, join, onEach, request, startClients } from './clients.ts'
import { writeKnownPeers } from './known-peers.ts'
import { cpuPer, median, paired, type Row } from './measure.ts'
import { ServerProcess } from './server-process.ts'

export interface Scale {
  readonly pairs: number
  /** Operations of one client in one measurement. */
  readonly times: number
  /** The longest list of known peers. */
  readonly known: number
}

/** More than what a renewal may do at once: the limits by peer stay on. */
const CLIENTS = 32

/** Dial, handshake, renew, list, hang up. */
export async function coldJoin({ pairs, times }: Scale, withIdentify: boolean): Promise<Row> {
  const clients = await startClients(CLIENTS, withIdentify)
  await using ours = await ServerProcess.start('./server.ts', ['-'])
  const renew = (client: Libp2p) => join(client, ours.address, { address: addressOf(client) })
  await onEach(clients, 1, renew)
  const answer = await renew(clients[0]!)
  await using baseline = await ServerProcess.start('./baseline.ts', [
    String(answer.length),
    ...(withIdentify ? ['--identify'] : []),
  ])
  const same = (client: Libp2p) => join(client, baseline.address, { address: addressOf(client) })
  const operations = CLIENTS * times
  const figures = await paired(
    pairs,
    () => cpuPer(ours, operations, () => onEach(clients, times, renew)),
    () => cpuPer(baseline, operations, () => onEach(clients, times, same)),
  )
  await stopAll(clients)
  return {
    name: `cold join${withIdentify ? ', client with identify' : ''}`,
    unit: 'ms CPU',
    ...figures,
    ...(withIdentify ? {} : { bound: 0.75 }),
  }
}

/** A request on a connection that is there. */
export async function warm({ pairs, times }: Scale, kind: 'ask' | 'renewal'): Promise<Row> {
  const clients = await startClients(CLIENTS)
  const folder = await mkdtemp(joinPath(tmpdir(), 'bootstrap-peer-bench-'))
  const peers = joinPath(folder, 'peers.json')
  await writeKnownPeers(peers, kind === 'ask' ? 20_000 : 0)
  await using ours = await ServerProcess.start('./server.ts', [peers])
  const message = (client: Libp2p) => (kind === 'ask' ? {} : { address: addressOf(client), limit: 0 })
  const serve = (client: Libp2p) => request(client, ours.address, message(client))
  await onEach(clients, 1, (client) => request(client, ours.address, { address: addressOf(client) }))
  const answer = await serve(clients[0]!)
  await using baseline = await ServerProcess.start('./baseline.ts', [String(answer.length)])
  const same = (client: Libp2p) => request(client, baseline.address, message(client))
  const operations = CLIENTS * times
  const figures = await paired(
    pairs,
    () => cpuPer(ours, operations, () => onEach(clients, times, serve)),
    () => cpuPer(baseline, operations, () => onEach(clients, times, same)),
  )
  await stopAll(clients)
  await rm(folder, { recursive: true })
  const records = kind === 'ask' ? ` (${(JSON.parse(answer.toString()) as unknown[]).length} records)` : ' on disk'
  return { name: `warm ${kind}${records}`, unit: 'ms CPU', ...figures, bound: kind === 'ask' ? 1.3 : 1.5 }
}

/** The same join with ever longer lists, each paired with the shortest. */
export async function joinsByKnownPeers({ pairs, times, known }: Scale): Promise<Row[]> {
  const clients = await startClients(CLIENTS)
  const folder = await mkdtemp(joinPath(tmpdir(), 'bootstrap-peer-bench-'))
  const few = joinPath(folder, 'few.json')
  await writeKnownPeers(few, 1000)
  await using shortest = await ServerProcess.start('./server.ts', [few])
  await using empty = await ServerProcess.start('./server.ts', ['-'])
  const { heap: emptyHeap } = await empty.usage(true)
  const rows: Row[] = []
  for (const count of [10_000, 100_000, 1_000_000].filter((each) => each <= known)) {
    const path = joinPath(folder, `${count}.json`)
    await writeKnownPeers(path, count)
    await using server = await ServerProcess.start('./server.ts', [path])
    const { heap } = await server.usage(true)
    rows.push({ name: `heap a known peer, ${count}`, unit: 'bytes', ours: (heap - emptyHeap) / count, bound: 700 })
    rows.push({
      name: `start with ${count}`,
      unit: 'ms',
      ours: server.startMs,
      ...(count === 100_000 ? { bound: 2000 } : {}),
    })
    const join1 = (to: ServerProcess) => (client: Libp2p) => join(client, to.address, { address: addressOf(client) })
    await onEach(clients, 1, join1(shortest))
    await onEach(clients, 1, join1(server))
    // The first snapshot is not the joins'.
    await server.usage()
    const operations = CLIENTS * times
    const stalls: number[] = []
    const figures = await paired(
      pairs,
      async () => {
        const cpu = await cpuPer(server, operations, () => onEach(clients, times, join1(server)))
        stalls.push((await server.usage()).stall)
        return cpu
      },
      () => cpuPer(shortest, operations, () => onEach(clients, times, join1(shortest))),
    )
    rows.push({ name: `cold join with ${count} known, against 1000`, unit: 'ms CPU', ...figures, bound: 1.2 })
    rows.push({
      name: `longest stall with ${count} known`,
      unit: 'ms',
      ours: median(stalls),
      bound: count > 100_000 ? 100 : 20,
    })
  }
  await stopAll(clients)
  await rm(folder, { recursive: true })
  return rows
}

async function stopAll(clients: readonly Libp2p[]): Promise<void> {
  await Promise.all(clients.map((client) => client.stop()))
}
