import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atLeast, atMost, type Figure, shown } from '../hostile/report.ts'
import { anyPeerId } from '../support/known-peers.ts'
import { NOW } from '../support/tables.ts'
import {
  bootstrapIn,
  type ClientNode,
  type ClientWorld,
  every,
  newWorld,
  startClientNode,
  type WorldPeer,
} from './client-world.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A row plays so many days, and returns figures with their bounds. */
export type ClientRow = (days: number) => Promise<Figure[]>

/** What liars do to the client's own discovery and keeper, with the default settings where none is named. */
export const CLIENT_ROWS: Readonly<Record<string, ClientRow>> = {
  'no liar': (days) => heldBy('no liar', days, () => []),
  'first with 8 dead each': (days) => heldBy('first with 8 dead each', days, deadAddresses),
  '400 dead peers': (days) =>
    heldBy('400 dead peers', days, (world) => [liarWith(world, deadPeers(400))], { within: 30 }),
  'one dead record': (days) => heldBy('one dead record', days, (world) => [liarWith(world, deadPeers(1))]),
  'one living, 400 dead': (days) =>
    heldBy(
      'one living, 400 dead',
      days,
      (world) => [liarWith(world, [...plantedIn(world, 1).map(named), ...deadPeers(400)])],
      { places: 5 },
    ),
  'inbound crowd': inboundCrowd,
  'taken over once': takenOver,
  'PeerIds of 4 IPs': peerIdsOfFewIps,
}

/**
 * All of them. What lasts days is played for all of `days`: who stays longest, and what was learned. Where dials of seconds
 * and sessions of hours decide, a quarter of a day in a week shows the same and spares minutes.
 */
export async function runClientRows(days: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [name, row] of Object.entries(CLIENT_ROWS)) {
    figures.push(...(await row(days * (PARTS.get(name) ?? 1 / 28))))
  }
  return figures
}

const PARTS: ReadonlyMap<string, number> = new Map([
  ['inbound crowd', 1],
  ['taken over once', 1],
  ['PeerIds of 4 IPs', 1 / 7],
])

/** Item 11: a target of six, 12 honest peers that come and go, and a second bootstrap that lies. */
async function heldBy(
  name: string,
  days: number,
  liars: (world: ClientWorld, honest: readonly WorldPeer[]) => string[],
  { places = 6, within = 15 } = {},
): Promise<Figure[]> {
  const world = newWorld(11)
  const honest = honestPeers(world, 12)
  const bootstrap = bootstrapIn(world, { latency: 200, peers: () => living(world, honest) })
  // A liar answers first.
  const bootstraps = [...liars(world, honest), bootstrap]
  const node = await startClientNode(world, { bootstraps, target: 6 })
  let firstAt: number | undefined
  for (let at = NOW; at <= NOW + MINUTE; at += SECOND / 4) {
    world.time.at(at, () => {
      firstAt ??= node.outbound('honest') === 6 ? at : undefined
    })
  }
  await world.time.advanceTo(NOW + MINUTE)
  churn(world, honest)
  const sampled = sampling(world, () => node.outbound('honest'))
  await world.time.advanceTo(NOW + days * DAY)
  await node.stop()
  return [
    atMost(
      name,
      'until 6 honest peers are connected',
      ((firstAt ?? Number.POSITIVE_INFINITY) - NOW) / SECOND,
      within,
      's',
    ),
    atLeast(name, 'honest peers connected by dialling, mean of 6', sampled.mean(), places - 0.1),
    atMost(name, 'of the minutes with fewer than 5', sampled.share((held) => held < 5) * 100, 1, '%'),
    knocks(name, node),
  ]
}

/** Item 12: eight PeerIds on one machine, named like any other, connect and stay. */
async function inboundCrowd(days: number): Promise<Figure[]> {
  const name = 'inbound crowd'
  const world = newWorld(12)
  const honest = honestPeers(world, 30)
  const planted = plantedIn(world, 8, () => '160.1.0.1')
  const peers = () => [...living(world, honest), ...planted.map(named)]
  const folder = await mkdtemp(join(tmpdir(), 'client-lab-'))
  const anchors = join(folder, 'anchors.json')
  const node = await startClientNode(world, { bootstraps: [bootstrapIn(world, { peers })], anchors })
  for (const [n, each] of planted.entries()) {
    world.time.at(NOW + SECOND, () => node.connectFrom(each, 50_000 + n))
  }
  churn(world, honest)
  await world.time.advanceTo(NOW + MINUTE)
  const sampled = sampling(world, () => node.outbound('honest'))
  await world.time.advanceTo(NOW + days * DAY)
  await node.stop()
  const kept: Array<{ id: string }> = JSON.parse(await readFile(anchors, 'utf8')).peers
  await rm(folder, { recursive: true })
  const ids = new Set(planted.map(({ id }) => id))
  return [
    atLeast(name, 'honest peers connected by dialling, mean of 8', sampled.mean(), 7.9),
    atMost(name, 'dials of peers that are connected inbound', dialsOf(node, planted), 0),
    atMost(name, 'planted anchors', kept.filter(({ id }) => ids.has(id)).length, 0),
    atLeast(name, 'anchors', kept.length, 4),
    knocks(name, node),
  ]
}

/** Item 13: a bootstrap names planted siblings for a day, is clean for two, and then dead. Its own sibling lives. */
async function takenOver(days: number): Promise<Figure[]> {
  const name = 'taken over once'
  const world = newWorld(13)
  const honest = honestPeers(world, 30)
  const liars = plantedIn(world, 20)
  const planted = Array.from({ length: 3 }, () => bootstrapIn(world, { peers: () => liars.map(named) }))
  const sibling = bootstrapIn(world, { peers: () => living(world, honest) })
  const at = { clean: NOW + DAY, dead: NOW + 3 * DAY, end: NOW + (days + 3) * DAY }
  const { now } = world.time
  const origin = bootstrapIn(world, {
    peers: () => living(world, honest),
    siblings: () => (now() < at.clean ? [...planted, sibling] : [sibling]),
    isUp: () => now() < at.dead,
  })
  const folder = await mkdtemp(join(tmpdir(), 'client-lab-'))
  const cache = join(folder, 'cache.json')
  const first = await startClientNode(world, { bootstraps: [origin], cache })
  churn(world, honest)
  const lastOf = (node: ClientNode, addresses: readonly string[]) =>
    Math.max(0, ...addresses.map((each) => node.asked.get(each.split('/p2p/')[1]!)?.lastAt ?? 0))
  await world.time.advanceTo(at.end - 5 * MINUTE)
  await first.stop()
  const second = await startClientNode(world, { bootstraps: [origin], cache })
  await world.time.advanceTo(at.end)
  await second.stop()
  await rm(folder, { recursive: true })
  return [
    atLeast(name, 'planted siblings asked while it was not clean', lastOf(first, planted) > 0 ? 3 : 0, 3),
    atMost(name, 'hours that they were asked once it was', (lastOf(first, planted) - at.clean) / HOUR, 24.2, 'h'),
    atMost(
      name,
      'its own sibling was asked last, before the end',
      (at.end - lastOf(second, [sibling])) / MINUTE,
      6,
      'min',
    ),
    atLeast(name, 'honest peers after a restart, its origin dead', second.outbound('honest'), 4),
    atMost(name, 'planted bootstraps asked after the restart', lastOf(second, planted) > 0 ? 1 : 0, 0),
  ]
}

/** Item 14: four addresses show another PeerId in each answer, live, and hang up again; or stay. */
async function peerIdsOfFewIps(days: number): Promise<Figure[]> {
  const figures = await Promise.all([
    fewIps(days, 'PeerIds of 4 IPs', 5 * MINUTE),
    fewIps(days, '… that stay', undefined),
  ])
  return figures.flat()
}

async function fewIps(days: number, name: string, stay: number | undefined): Promise<Figure[]> {
  const world = newWorld(14)
  const honest = honestPeers(world, 50)
  const current = plantedIn(world, 4, (n) => `${160 + n}.1.0.1`)
  const planted = [...current]
  let [port, dialsThen] = [5000, 0]
  const peers = () => {
    for (const [n, { address }] of current.entries()) {
      current[n] = { id: anyPeerId(), address: address.replace(/tcp\/\d+/, `tcp/${port++}`), kind: 'planted' }
      world.answering.set(current[n].address, current[n])
      planted.push(current[n])
    }
    return [...living(world, honest), ...current.map(named)]
  }
  const node = await startClientNode(world, { bootstraps: [bootstrapIn(world, { peers })] })
  churn(world, honest, HOUR)
  if (stay !== undefined) {
    every(world.time, stay, () => {
      for (const { id } of node.keeper.peers.filter((peer) => planted.some((each) => each.id === peer.id))) {
        node.hangUp(id)
      }
    })
  }
  await world.time.advanceTo(NOW + HOUR)
  dialsThen = [...node.dials.values()].reduce((a, b) => a + b, 0)
  const before = dialsOf(node, planted)
  const sampled = sampling(world, () => node.outbound('planted'))
  await world.time.advanceTo(NOW + days * DAY)
  await node.stop()
  const all = [...node.dials.values()].reduce((a, b) => a + b, 0) - dialsThen
  return [
    shown(name, 'dials', all),
    stay === undefined
      ? atMost(name, 'of the places, which 4 IPs may have of 8', (sampled.mean() / 8) * 100, 50, '%')
      : atMost(name, 'of the dials (4 of 54 IPs are 7.4 %)', ((dialsOf(node, planted) - before) / all) * 100, 12, '%'),
    knocks(name, node),
  ]
}

/** One in each network group. */
function honestPeers(world: ClientWorld, count: number): WorldPeer[] {
  return Array.from({ length: count }, (_, n) => peerIn(world, 'honest', `${20 + (n % 60)}.${n}.0.1`))
}

function plantedIn(world: ClientWorld, count: number, ip = (n: number) => `${160 + (n % 50)}.1.0.1`): WorldPeer[] {
  return Array.from({ length: count }, (_, n) => peerIn(world, 'planted', ip(n), 4001 + n))
}

function peerIn(world: ClientWorld, kind: WorldPeer['kind'], ip: string, port = 4001): WorldPeer {
  const peer = { id: anyPeerId(), address: `/ip4/${ip}/tcp/${port}`, kind }
  world.answering.set(peer.address, peer)
  return peer
}

/** Names all honest peers at eight dead addresses each, and answers first. */
function deadAddresses(world: ClientWorld, honest: readonly WorldPeer[]): string[] {
  const records = honest.map(({ id }, n) =>
    Array.from({ length: 8 }, (_, k) => `/ip4/${100 + k}.${n}.0.1/tcp/4001/p2p/${id}`).join(' '),
  )
  return [liarWith(world, records)]
}

function deadPeers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `/ip4/${100 + (n % 50)}.${n}.0.1/tcp/4001/p2p/${anyPeerId()}`)
}

/** Answers before all others, with some 64 of these; and with what is in the client's own network. */
function liarWith(world: ClientWorld, records: readonly string[]): string {
  const inside = ['127.0.0.1', '192.168.1.1', '169.254.169.254'].map((ip) => `/ip4/${ip}/tcp/8545/p2p/${anyPeerId()}`)
  let from = 0
  const peers = () => {
    from += 64
    const turned = records.map((_, n) => records[(from + n) % records.length]!)
    return [...turned, ...inside]
  }
  return bootstrapIn(world, { latency: 10, peers })
}

function living(world: ClientWorld, peers: readonly WorldPeer[]): string[] {
  return peers.filter(({ address, id }) => world.answering.get(address)?.id === id).map(named)
}

function named({ address, id }: WorldPeer): string {
  return `${address}/p2p/${id}`
}

/** Lets peers die and come back, in sessions that are exponential, and pauses of half an hour to one and a half. */
function churn(world: ClientWorld, peers: readonly WorldPeer[], meanSession = DAY): void {
  const { time, random, answering } = world
  const live = (peer: WorldPeer) => {
    answering.set(peer.address, peer)
    time.at(time.now() - Math.log(1 - random()) * meanSession, () => {
      answering.delete(peer.address)
      for (const node of world.nodes) {
        node.hangUp(peer.id)
      }
      time.at(time.now() + (0.5 + random()) * HOUR, () => live(peer))
    })
  }
  for (const peer of peers) {
    live(peer)
  }
}

function sampling(world: ClientWorld, figure: () => number) {
  const samples: number[] = []
  every(world.time, MINUTE, () => samples.push(figure()))
  return {
    mean: () => samples.reduce((a, b) => a + b, 0) / samples.length,
    share: (condition: (value: number) => boolean) => samples.filter(condition).length / samples.length,
  }
}

function dialsOf(node: ClientNode, peers: readonly WorldPeer[]): number {
  return peers.reduce((count, { address }) => count + (node.dials.get(address) ?? 0), 0)
}

/** Item 14: dials at loopback and in private ranges, which liars named in answers and in identify. */
function knocks(name: string, { dials }: ClientNode): Figure {
  const inside = [...dials.keys()].filter((each) => /\/ip4\/(127|10|192\.168|169\.254)\./.test(each))
  return atMost(name, 'dials at its own loopback or LAN', inside.length, 0)
}
