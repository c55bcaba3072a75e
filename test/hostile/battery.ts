import { parseArgs } from 'node:util'
import { busyConnections, moreBusyConnections } from './busy-connections.ts'
import { decoys } from './decoys.ts'
import { fixedExchanges } from './fixed-exchanges.ts'
import { fixedFrames } from './fixed-frames.ts'
import { frameBomb } from './frame-bomb.ts'
import { fullerTable, fullTable } from './full-table.ts'
import { fuzzedExchanges } from './fuzzed-exchanges.ts'
import { HonestPeer } from './honest-peer.ts'
import { identities } from './identities.ts'
import { idleFill, TABLE } from './idle-fill.ts'
import { keyChanges } from './key-changes.ts'
import { leavers } from './leavers.ts'
import { logLines } from './log-lines.ts'
import { publicRanges } from './public-ranges.ts'
import { recordAddresses } from './record-addresses.ts'
import { atMost, type Figure, tableLine } from './report.ts'
import { silentSockets } from './silent-sockets.ts'
import { moreSilentStreams, silentStreams } from './silent-streams.ts'
import { SLOW_READER_ARGS, slowReaders, slowRendezvousReaders } from './slow-readers.ts'
import { streamChurn } from './stream-churn.ts'
import { testNetwork } from './test-network.ts'
import { Victim, type VictimInit } from './victim.ts'

const HELP = `Attacks a node that it starts, and tells what each attack came to. Exit code 1 when a figure misses its bound.

  npm run test:hostile -- [--long] [--only ATTACK,...] [--again] [--late fail|warn] [--seed N] [--cases N] [--json]

  --long    1,000,000 fuzzed exchanges and addresses, a full table of 4000, 40,000 leavers, 6000 connections of silent
            streams, 1000 busy ones; without it, 50,000 and 100,000, 200 or 500, none, 600 and 192
  --only    these attacks, of: ATTACKS
  --again   attacks with a figure that missed its bound are run a second time, and judged by that
  --late    what becomes of a time that missed its bound. Default: fail. The attackers share the machine with the node
  --seed    of the fuzzed exchanges; one and the same makes the same exchanges. Default: drawn, and shown
  --cases   how many fuzzed exchanges
  --json    one JSON object a figure, one a line
`

interface Options {
  readonly long: boolean
  readonly cases: number
  readonly seed: number
}

/** What an attack runs against, and what it is told. */
type Attack = readonly [VictimInit, (victim: Victim, honest: HonestPeer, options: Options) => Promise<Figure[]>]

const ATTACKS: Readonly<Record<string, Attack>> = {
  'fixed-exchanges': [{}, fixedExchanges],
  'fixed-frames': [{}, fixedFrames],
  'fuzzed-exchanges': [{}, fuzzedExchanges],
  'frame-bomb': [{}, frameBomb],
  'stream-churn': [{ summaryInterval: '5s' }, (victim, honest) => streamChurn(victim, honest)],
  'silent-sockets': [{}, silentSockets],
  'idle-fill': [{ args: ['--max-connections', String(TABLE)] }, (victim, honest) => idleFill(victim, honest, TABLE)],
  'slow-readers': [{ args: SLOW_READER_ARGS }, slowReaders],
  'slow-rendezvous-readers': [{ args: SLOW_READER_ARGS }, slowRendezvousReaders],
  decoys: [{}, decoys],
  'key-changes': [{}, (victim, honest) => keyChanges(victim, honest)],
  'test-network': [{}, testNetwork],
}
const LONG_ATTACKS: Readonly<Record<string, Attack>> = {
  'idle-fill-4000': [{}, (victim, honest) => idleFill(victim, honest, 4000)],
  leavers: [{}, (victim) => leavers(victim, 40_000)],
}
/** Those without a victim of their own. */
const OTHERS: Readonly<Record<string, (options: Options) => Promise<Figure[]>>> = {
  identities,
  'log-lines': logLines,
  'public-ranges': publicRanges,
  'silent-streams': silentStreams,
  'record-addresses': ({ long, seed }) => recordAddresses(long ? 1_000_000 : 100_000, seed),
  'full-table': fullTable,
  'busy-connections': busyConnections,
}
const LONG_OTHERS: typeof OTHERS = {
  'silent-streams-6000': moreSilentStreams,
  'full-table-4000': fullerTable,
  'busy-connections-1000': moreBusyConnections,
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      long: { type: 'boolean', default: false },
      only: { type: 'string' },
      again: { type: 'boolean', default: false },
      late: { type: 'string', default: 'fail' },
      seed: { type: 'string' },
      cases: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const longNames = [...Object.keys(LONG_ATTACKS), ...Object.keys(LONG_OTHERS)]
  const names = [...Object.keys(ATTACKS), ...Object.keys(OTHERS), ...longNames]
  if (values.help) {
    process.stdout.write(HELP.replace('ATTACKS', names.join(', ')))
    return 0
  }
  const options: Options = {
    long: values.long,
    cases: Number(values.cases ?? (values.long ? 1_000_000 : 50_000)),
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
  }
  const only = values.only?.split(',')
  const unknown = only?.find((name) => !names.includes(name))
  if (unknown !== undefined || !Number.isSafeInteger(options.cases + options.seed)) {
    process.stderr.write(`${unknown === undefined ? '--cases and --seed are whole numbers' : `no attack ${unknown}`}\n`)
    return 2
  }
  if (!['fail', 'warn'].includes(values.late)) {
    process.stderr.write('--late is fail or warn\n')
    return 2
  }

  const began = performance.now()
  const isLate = ({ ok, unit }: Figure) => !ok && values.late === 'warn' && (unit === 'ms' || unit === 's')
  let late = 0
  /** Runs attacks, prints their figures, and returns the names of those that missed. */
  const pass = async (attacks: readonly string[]): Promise<string[]> => {
    const missed: string[] = []
    for (const name of attacks) {
      const figures = await run(name, options)
      for (const figure of figures) {
        console.log(values.json ? JSON.stringify(figure) : tableLine(figure))
      }
      late += figures.filter(isLate).length
      if (figures.some((figure) => !figure.ok && !isLate(figure))) {
        missed.push(name)
      }
    }
    return missed
  }
  let missed = await pass(only ?? names.filter((each) => values.long || !longNames.includes(each)))
  if (values.again && missed.length > 0) {
    console.error(`once more, since a figure missed its bound: ${missed.join(', ')}`)
    missed = await pass(missed)
  }
  if (!values.json) {
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`${missed.length} missed${late > 0 ? `, ${late} late on this machine` : ''}; took ${seconds} s`)
  }
  return missed.length === 0 ? 0 : 1
}

/** Each attack has a node of its own, so that none profits from what another one did, and a dead one is told apart. */
async function run(name: string, options: Options): Promise<Figure[]> {
  const other = OTHERS[name] ?? LONG_OTHERS[name]
  if (other !== undefined) {
    return await other(options)
  }
  const [init, attack] = (ATTACKS[name] ?? LONG_ATTACKS[name])!
  const victim = await Victim.start(init)
  const honest = await HonestPeer.start(victim.target)
  // An attack that can't go on because the node is gone is a miss, and no reason to skip the others.
  const figures = await attack(victim, honest, options).catch((err: unknown) => {
    console.error(`${name}: ${err instanceof Error ? err.stack : err}`)
    return [atMost(name, 'attacks that could not be finished', 1, 0)]
  })
  await honest.stop()
  const survived = victim.alive
  const { code, brokenLines, stderr } = await victim.stop()
  const { attack: label } = figures[0]!
  return [
    ...figures,
    atMost(label, 'crashes, and stops that were not clean', survived && code === 0 ? 0 : 1, 0),
    atMost(label, 'log lines that are not one JSON object', brokenLines.length + (stderr === '' ? 0 : 1), 0),
  ]
}

process.exitCode = await main()
// What is left of the attackers' sockets is not waited for.
process.exit()
