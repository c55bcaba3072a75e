import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { PUBLIC_LIMITS } from '../../src/policy/room.ts'
import { connections } from './connections.ts'
import { HonestPeer } from './honest-peer.ts'
import { inNamespace } from './newcomers.ts'
import { type Answer, PublicPeer, peersAt } from './public-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { streamChurn } from './stream-churn.ts'
import { Victim } from './victim.ts'

/** Where the node listens: here and in the world. */
const AT = ['/ip4/45.1.0.1', '/ip6/2a00:1::1', '/ip4/127.0.0.1', '/ip4/10.7.0.1'] as const
const HONEST = 40
const ASKS = 50
/** Below so many the caps of an answer are lifted. */
const FEW = 32
const NAME = 'public ranges'

/** What holds on the public internet alone, on a machine that has all of it to itself. */
export async function publicRanges(): Promise<Figure[]> {
  return await inNamespace(NAME, import.meta.url)
}

async function main(): Promise<void> {
  const victim = await Victim.start({ at: AT, summaryInterval: '5s' })
  const [v4, v6, loopback, ten] = victim.targets as [string, string, string, string]
  const honest = await peersAt(HONEST, (i) => `45.${100 + i}.7.7`)
  const listed = await registerEach(honest, v4)
  const figures = [
    atLeast(NAME, 'honest peers listed', listed.filter(({ code }) => code === 'listed').length, HONEST),
    ...(await fill('one IP', PUBLIC_LIMITS.ip, v4, () => '45.2.2.2', 'limit_ip')),
    ...(await fill('one /24', PUBLIC_LIMITS['ip4/24'], v4, (i) => `45.3.3.${1 + (i % 13)}`, 'limit_subnet')),
    ...(await fill('one /64', PUBLIC_LIMITS['ip6/64'], v6, (i) => `2a00:5:0:1::${i + 1}`, 'limit_ip')),
    ...(await fill('one /48', PUBLIC_LIMITS['ip6/48'], v6, (i) => `2a00:6:0:${(i % 13) + 1}00::1`, 'limit_subnet')),
    ...(await neighbours(v4)),
    ...(await hogs(v4, v6)),
    ...(await answers(v4)),
    ...(await privateRanges(v4, loopback, ten)),
    ...(await strangers(v4)),
    ...(await connections(NAME, v4, ['one IP', 8, () => '45.20.1.1'])),
    ...(await connections(NAME, v4, ['one /24', 64, (i) => `45.21.1.${1 + (i % 32)}`])),
    ...(await churned(victim, loopback)),
  ]
  await Promise.all(honest.map((peer) => peer.stop()))
  const survived = victim.alive
  const { code, stderr } = await victim.stop()
  figures.push(
    ...(await wholeGroup()),
    ...(await hidden()),
    atMost(NAME, 'crashes, and stops that were not clean', survived && code === 0 && stderr === '' ? 0 : 1, 0),
  )
  for (const figure of figures) {
    console.log(JSON.stringify(figure))
  }
}

async function registerEach(peers: readonly PublicPeer[], target: string) {
  const all: Array<{ readonly code: string; readonly peers: number }> = []
  for (const peer of peers) {
    all.push(await peer.register(target))
  }
  return all
}

/** As many as a neighbourhood may have, and a few more: those are refused, for that reason, and get the list. */
async function fill(
  of: string,
  limit: number,
  target: string,
  ipOf: (i: number) => string,
  code: string,
  list = HONEST,
): Promise<Figure[]> {
  const peers = await peersAt(limit + 5, ipOf)
  const outcomes = await registerEach(peers, target)
  const over = outcomes.slice(limit)
  await Promise.all(peers.map((peer) => peer.stop()))
  return [
    atLeast(NAME, `listed of ${of}`, outcomes.filter((each) => each.code === 'listed').length, limit),
    atLeast(NAME, `refused beyond it, ${of}`, over.filter((each) => each.code === code).length, over.length),
    atLeast(NAME, `shortest list that the refused got, ${of}`, Math.min(...over.map((each) => each.peers)), list),
  ]
}

/** Beside the full ones there is room. */
async function neighbours(target: string): Promise<Figure[]> {
  const peers = await Promise.all(['45.2.2.3', '45.2.3.2', '45.3.4.1'].map((ip) => PublicPeer.start(ip)))
  const outcomes = await registerEach(peers, target)
  await Promise.all(peers.map((peer) => peer.stop()))
  return [atLeast(NAME, 'neighbours of the full ones, listed', count(outcomes, 'listed'), peers.length)]
}

/** All places of a subnet are held by a few of its addresses: one is for a neighbour, and the others stay theirs. */
async function hogs(v4: string, v6: string): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [of, target, limit, ips, neighbourIp, code] of [
    ['a /24', v4, PUBLIC_LIMITS['ip4/24'], [1, 2, 3, 4].map((n) => `45.9.4.${n}`), '45.9.4.200', 'limit_subnet'],
    ['a /64', v6, PUBLIC_LIMITS['ip6/64'], ['2a00:7:0:1::1'], '2a00:7:0:1::f1', 'limit_ip'],
    [
      'a /48',
      v6,
      PUBLIC_LIMITS['ip6/48'],
      ['1', '2', '101', '102'].map((each) => `2a00:8:0:${each}::1`),
      '2a00:8:0:ff00::1',
      'limit_subnet',
    ],
  ] as const) {
    const attackers = await peersAt(limit, (i) => ips[i % ips.length]!)
    const held = count(await registerEach(attackers, target), 'listed')
    const neighbour = await PublicPeer.start(neighbourIp)
    const began = performance.now()
    const [outcome] = await registerEach([neighbour], target)
    const took = performance.now() - began
    const renewed = await registerEach(attackers, target)
    const again = await registerEach([neighbour], target)
    await Promise.all([neighbour, ...attackers].map((peer) => peer.stop()))
    figures.push(
      atLeast(NAME, `held by ${ips.length} of ${of}`, held, limit),
      atLeast(NAME, `neighbours of them that are listed, in ${of}`, outcome!.code === 'listed' ? 1 : 0, 1),
      atMost(NAME, `until then, in ${of}`, took, 60_000, 'ms'),
      atLeast(NAME, `their places that they keep, in ${of}`, count(renewed, 'listed'), limit - 1),
      atLeast(NAME, `told at its renewal that it gave way, in ${of}`, count(renewed, code), 1),
      atLeast(NAME, `renewals of the neighbour, in ${of}`, count(again, 'listed'), 1),
    )
  }
  return figures
}

/** What a stranger gets of the crowds. */
async function answers(target: string): Promise<Figure[]> {
  const asker = await PublicPeer.start('45.200.1.1')
  const [perIp, perSubnet, perGroup, sizes]: number[][] = [[], [], [], []]
  for (let i = 0; i < ASKS; i++) {
    const { peers } = await asker.ask(target, { limit: 250 })
    const ips = peers.map(({ address }) => address.split('/')[2]!).filter((ip) => !ip.includes(':'))
    sizes!.push(peers.length)
    perIp!.push(most(ips))
    perSubnet!.push(most(ips.map((ip) => ip.split('.', 3).join('.'))))
    perGroup!.push(most(ips.map((ip) => ip.split('.', 2).join('.'))))
  }
  await asker.stop()
  return [
    atLeast(NAME, `shortest of ${ASKS} answers`, Math.min(...sizes!), FEW),
    atMost(NAME, 'of one IP in an answer', Math.max(...perIp!), 1),
    atMost(NAME, 'of one /24 in an answer', Math.max(...perSubnet!), 2),
    atMost(NAME, 'of one /16 in an answer', Math.max(...perGroup!), 8),
  ]
}

/** Each range sees its own and the public; nobody else sees it. */
async function privateRanges(v4: string, loopback: string, ten: string): Promise<Figure[]> {
  const local = await PublicPeer.start('127.0.0.9')
  const inside = await PublicPeer.start('10.7.0.9')
  const outside = await PublicPeer.start('45.200.1.2')
  const codes = [await local.register(loopback), await inside.register(ten)]
  const lies = [await outside.register(v4, '/ip4/10.0.0.5/tcp/4001'), await outside.register(v4, local.address)]
  const privates = ({ peers }: Answer) => peers.filter(({ address }) => /^\/ip4\/(10|127)\./.test(address)).length
  let [seen, unseen] = [0, 0]
  for (let i = 0; i < ASKS; i++) {
    seen += privates(await outside.ask(v4, { limit: 1000 }))
  }
  const [other, another] = [await PublicPeer.start('127.0.0.8'), await PublicPeer.start('10.7.0.8')]
  unseen += Math.abs(1 - privates(await other.ask(loopback, { limit: 1000 })))
  unseen += Math.abs(1 - privates(await another.ask(ten, { limit: 1000 })))
  await Promise.all([local, inside, outside, other, another].map((peer) => peer.stop()))
  return [
    atLeast(NAME, 'private addresses listed for their own', count(codes, 'listed'), 2),
    atLeast(NAME, 'private addresses refused to a public caller', count(lies, 'ip_private'), 2),
    atMost(NAME, 'private addresses shown to a public asker', seen, 0),
    atMost(NAME, 'private addresses not shown, or another range', unseen, 0),
  ]
}

/** Dial-backs go where the caller is, and nowhere else. */
async function strangers(target: string): Promise<Figure[]> {
  const caller = await PublicPeer.start('45.4.4.4')
  let [elsewhere, own] = [0, 0]
  const ips = ['45.4.4.5', '45.5.5.5', '2a00:7::1', '127.0.0.2', '10.7.0.2', '45.4.4.4']
  const decoys = ips.map((ip) => {
    const touch = ip === '45.4.4.4' ? () => own++ : () => elsewhere++
    return createServer((socket) => socket.destroy(void touch())).listen(0, ip)
  })
  await Promise.all(decoys.map((server) => once(server, 'listening')))
  for (const [i, server] of decoys.entries()) {
    const { port } = server.address() as { port: number }
    await caller.register(target, `/ip${ips[i]!.includes(':') ? 6 : 4}/${ips[i]}/tcp/${port}`)
  }
  await caller.stop()
  for (const server of decoys) {
    server.close()
  }
  return [
    atMost(NAME, 'dials to addresses that are not the caller’s', elsewhere, 0),
    atLeast(NAME, 'dials to the one that is', own, 1),
  ]
}

/** Where attackers have addresses of their own, what they do is held against these. */
async function churned(victim: Victim, loopback: string): Promise<Figure[]> {
  const honest = await HonestPeer.start(loopback)
  const figures = await streamChurn(victim, honest, { attack: 'public churn', from: (i) => `45.6${i}.1.1` })
  await honest.stop()
  return figures
}

/** A /16, whose limit is beyond what may be dialled there in half a minute: a node that lists what registers. */
async function wholeGroup(): Promise<Figure[]> {
  const victim = await Victim.start({ at: AT, args: ['--listing', 'registered'] })
  const ipOf = (i: number) => `45.9.${i % 100}.1`
  // There is nobody else here: the caps of an answer are lifted up to so many.
  const figures = await fill('one /16', PUBLIC_LIMITS['ip4/16'], victim.target, ipOf, 'limit_subnet', FEW)
  await victim.stop()
  return figures
}

/** Behind a NAT that hides where callers are, in a network that takes any address: the node warns, and has no way out. */
async function hidden(): Promise<Figure[]> {
  const victim = await Victim.start({ at: ['/ip4/10.7.0.1'], args: ['--allow-foreign-ip'] })
  const callers = await peersAt(8, () => '10.7.0.9')
  const codes: Array<{ readonly code: string }> = []
  for (const caller of callers) {
    codes.push(await caller.register(victim.target, '/ip4/8.8.8.8/tcp/4001'))
  }
  await Promise.all(callers.map((caller) => caller.stop()))
  const { lines } = await victim.stop()
  const warnings = lines.filter(
    ({ level, msg }) => level === 40 && msg?.includes('all 8 peers so far came from 10.7.0.9'),
  )
  return [
    atLeast(NAME, 'warnings of a NAT in front of it', warnings.length, 1),
    atLeast(NAME, 'addresses that it has no way to, said so', count(codes, 'dial_unreachable'), callers.length),
  ]
}

function most(values: readonly string[]): number {
  return Math.max(
    0,
    ...Map.groupBy(values, (value) => value)
      .values()
      .map(({ length }) => length),
  )
}

function count(outcomes: ReadonlyArray<{ readonly code: string }>, code: string): number {
  return outcomes.filter((each) => each.code === code).length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main()
  process.exit()
}
