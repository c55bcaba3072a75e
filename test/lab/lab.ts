import type { Random } from '../../src/base/random.ts'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import type { Dial } from '../../src/proofs/dial.ts'
import type { IntervalOf } from '../../src/proofs/proof-interval.ts'
import type { RegistrationRecord } from '../../src/registry/registration.ts'
import { INTERVAL, type TestPoint, testPoint } from '../support/points.ts'
import { seededRandom } from '../support/random.ts'
import { NOW } from '../support/tables.ts'
import { type VirtualTime, virtualTime } from '../support/virtual-time.ts'
import { type Census, census } from './census.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000

export interface LabInit {
  readonly name: string
  /** Honest peers at home in the network; each is alive or away. */
  readonly peers: number
  /** How long a peer stays alive, on average, ms. */
  readonly meanSession: number
  /**
   * The shape of the Weibull distribution of sessions: 1 is exponential, and the lower, the younger die those that die
   * young. Those of deployed networks have 0.4 to 0.6.
   */
  readonly shape: number
  /** Begins with peers in the middle of their sessions, as they are in a network that is old; otherwise they all join. */
  readonly settled: boolean
  readonly intervalOf: IntervalOf
  readonly days: number
  readonly seed: number
  /** Where a peer lives. */
  readonly home: (n: number) => string
}

/** Where everything stands, for those who act and those who measure. */
export interface World {
  readonly time: VirtualTime
  readonly parts: TestPoint
  readonly random: Random
  /** Who answers at each address. Nobody else does. */
  readonly answering: Map<string, string>
  readonly peers: readonly LabPeer[]
  /** Addresses that a liar has planted; nobody must ever be handed one. */
  readonly planted: Set<string>
  /** What liars registered and were told is listed. */
  believed: number
  /** What they tried. */
  lies: number
  /** Dials, of whatever it was. */
  dials: number
}

export interface LabPeer {
  readonly id: string
  address: string
  /** Since when it is alive at its address; undefined when it is away. */
  aliveSince: number | undefined
  /** The session it is in: what was planned for an earlier one is void. */
  session: number
  moves: number
}

/** A good client: registers when it starts, renews every half of its ttl, and asks for nothing more. */
const TTL_SECONDS = 7200
/** The service tells time to its parts four times a second; a second is enough here and four times as fast. */
const TICK = SECOND
/** How long an answer takes, and silence, ms: half of the dead refuse at once, the others are silent for 4 s. */
const ANSWER = 80
const SILENCE = 4000
/** A deadline for the verdicts, as the frontend sets it, ms. */
const VERDICT = 5000

/** Lets honest peers join, die, move and come back, and liars lie, against the real point, registry and provers. */
export async function runLab(init: LabInit): Promise<Census> {
  const world = newWorld(init)
  const { time, parts, peers, random } = world
  every(time, TICK, () => {
    parts.point.tick()
    parts.schedule.tick()
  })
  if (init.settled) {
    settle(init, world)
  } else {
    for (const peer of peers) {
      time.at(NOW + random() * Math.min(init.meanSession, HOUR), () => join(peer, init, world))
    }
  }
  every(time, 30 * SECOND, () => lie(world))
  const measured = census(world)
  every(time, MINUTE, () => measured.sample())
  const end = NOW + init.days * 24 * HOUR
  await time.advanceTo(end)
  parts.schedule.stop()
  return measured.result(init)
}

function newWorld({ peers, seed, home, intervalOf }: LabInit): World {
  const time = virtualTime(NOW)
  const answering = new Map<string, string>()
  const dial: Dial = async (address) => {
    world.dials++
    if (answering.has(address)) {
      await time.wait(ANSWER)
      const peerId = answering.get(address)
      return peerId === undefined ? { fault: 'dial_refused' } : { peerId }
    }
    if (address.charCodeAt(address.length - 1) % 2 === 0) {
      return { fault: 'dial_refused' }
    }
    await time.wait(SILENCE)
    return { fault: 'dial_timeout' }
  }
  const world: World = {
    time,
    parts: testPoint({ clock: time.now, dial, seed, intervalOf }),
    random: seededRandom(seed + 1),
    answering,
    peers: Array.from({ length: peers }, (_, n) => ({
      id: `honest ${n}`,
      address: home(n),
      aliveSince: undefined,
      session: 0,
      moves: 0,
    })),
    planted: new Set(),
    believed: 0,
    lies: 0,
    dials: 0,
  }
  return world
}

/** All are alive, each as long as one is that is met at any moment, and were dialed within the interval. */
function settle(init: LabInit, world: World): void {
  const { random, peers, answering, parts, time } = world
  const sessions = Array.from({ length: 200_000 }, () => session(init, random))
  const all = sessions.reduce((sum, each) => sum + each, 0)
  const records = peers.map((peer): RegistrationRecord => {
    const whole = metAtAMoment(sessions, random() * all)
    const age = random() * whole
    peer.aliveSince = NOW - age
    answering.set(peer.address, peer.id)
    renewLater(peer, ++peer.session, world)
    time.at(NOW + whole - age, () => leave(peer, init, world))
    return {
      network: '',
      peerId: peer.id,
      address: peer.address,
      registeredAt: NOW - age,
      expiresAt: NOW + TTL_SECONDS * SECOND,
      provedAt: NOW - Math.min(age, random() * INTERVAL),
    }
  })
  parts.point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
}

/** A moment meets a long session more often than a short one. */
function metAtAMoment(sessions: readonly number[], at: number): number {
  let end = 0
  return sessions.find((each) => {
    end += each
    return end >= at
  })!
}

/** How long one session lasts, ms. */
function session({ meanSession, shape }: LabInit, random: Random): number {
  return (meanSession / MEAN_OF_SHAPE[shape]!) * (-Math.log(1 - random())) ** (1 / shape)
}

/** Γ(1 + 1/shape): the mean of a Weibull distribution of scale 1. */
const MEAN_OF_SHAPE: Readonly<Record<number, number>> = { 0.4: 3.32335, 0.5: 2, 0.6: 1.50458, 1: 1 }

function join(peer: LabPeer, init: LabInit, world: World): void {
  const { time, answering, random } = world
  const joined = ++peer.session
  peer.aliveSince = time.now()
  answering.set(peer.address, peer.id)
  register(peer, world)
  renewLater(peer, joined, world)
  time.at(time.now() + session(init, random), () => leave(peer, init, world))
}

/** Nine in ten die without a word; one in ten takes its address back first. Half of them come back somewhere else. */
function leave(peer: LabPeer, init: LabInit, world: World): void {
  const { time, parts, answering, random } = world
  const { address } = peer
  if (random() < 0.1) {
    parts.point.unregister(callerOf(peer.id, address), { network: '', addresses: [address] })
  }
  answering.delete(address)
  peer.aliveSince = undefined
  peer.session++
  if (random() < 0.5) {
    peer.moves++
    peer.address = moved(peer.address, peer.moves)
  }
  time.at(time.now() + (0.1 + random()) * Math.min(init.meanSession, 6 * HOUR), () => join(peer, init, world))
}

function register({ id, address }: LabPeer, { parts, time }: World): void {
  const cut = new AbortController()
  time.at(time.now() + VERDICT, () => cut.abort())
  parts.point.register(
    callerOf(id, address),
    { network: '', addresses: [address], ttlMs: TTL_SECONDS * 1000 },
    cut.signal,
  )
}

function renewLater(peer: LabPeer, session: number, world: World): void {
  const { time, random } = world
  time.at(time.now() + (TTL_SECONDS / 2) * SECOND * (0.9 + 0.2 * random()), () => {
    if (peer.session === session) {
      register(peer, world)
      renewLater(peer, session, world)
    }
  })
}

/** Lies in turn: another's address, the same from another's IP, another's identity, a dead port, a range that nobody reaches. */
async function lie(world: World): Promise<void> {
  const { parts, planted, peers, random, time } = world
  const n = world.lies++
  const liar = `liar ${n % 50}`
  const home = `60.${n % 28}.${n % 7}.${1 + (n % 3)}`
  const victim = peers[Math.floor(random() * peers.length)]!
  const lies = [
    { ip: home, address: victim.address },
    { ip: victim.address.split('/')[2]!, address: victim.address },
    { ip: home, address: `/ip4/${home}/tcp/4001`, peerId: victim.id },
    { ip: home, address: `/ip4/${home}/tcp/${2000 + (n % 5000)}` },
    { ip: home, address: ['/ip4/10.0.0.5/tcp/4001', '/ip4/127.0.0.1/tcp/4001', '/ip4/224.0.0.1/tcp/4001'][n % 3]! },
  ]
  const { ip, address, peerId }: { ip: string; address: string; peerId?: string } = lies[n % lies.length]!
  planted.add(`${address}/p2p/${peerId ?? liar}`)
  const cut = new AbortController()
  time.at(time.now() + VERDICT, () => cut.abort())
  const [outcome] = await parts.point.register(
    callerOf(liar, `/ip4/${ip}/tcp/5`),
    { network: '', addresses: [peerId === undefined ? address : `${address}/p2p/${peerId}`], ttlMs: 259_200_000 },
    cut.signal,
  )
  world.believed += outcome?.status === 'listed' ? 1 : 0
}

function callerOf(peerId: string, address: string): Caller {
  return callerAt(peerId, address)!
}

/** A new lease from the same provider: another address in the same /16. */
function moved(address: string, moves: number): string {
  const [, , ip = '', , port] = address.split('/')
  const [a, b, c, d] = ip.split('.').map(Number) as [number, number, number, number]
  return `/ip4/${a}.${b}.${(c + moves * 7) % 256}.${d}/tcp/${port}`
}

function every(time: VirtualTime, ms: number, callback: () => void): void {
  const next = () => {
    callback()
    time.at(time.now() + ms, next)
  }
  time.at(time.now() + ms, next)
}
