// Kills the real node with SIGKILL at random moments while peers register, starts it again, and counts what is lost.
//   node test/crash/battery.ts [--long] [--rounds N] [--seed N] [--json]
// Short: 50 rounds. Long: 1,000. A third of the rounds aims at a snapshot being written, a third at a recovery.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../support/random.ts'
import { newFolder } from '../support/temporary-folder.ts'
import { preload } from './preload.ts'
import { AIMS, type Aim, playRound } from './round.ts'
import { Tally } from './tally.ts'

/** So many entries make a snapshot last long enough to be hit. */
const PRELOADED = 20_000
/** Then a new list begins, under the same identity: one machine may register only so much. */
const ROUNDS_A_LIST = 40

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.long ? 1000 : 50))
const random = seededRandom(Number(values.seed))
const folder = await newFolder()
const tally = new Tally()
/** What this list's rounds so far were answered, by the text of the key. */
const answered = new Set<string>()

try {
  for (let round = 1; round <= rounds; round++) {
    if (round % ROUNDS_A_LIST === 1) {
      await newList()
    }
    const aim: Aim = AIMS[round % AIMS.length]!
    await playRound({ folder, aim, random, answered, tally })
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${round}/${rounds} rounds, ${tally.answered} registrations answered, ${tally.lost} lost `)
    }
  }
  await playRound({ folder, aim: 'none', random, answered, tally })
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function newList(): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('peers.json')) {
      await rm(join(folder, name))
    }
  }
  answered.clear()
  await preload(join(folder, 'peers.json'), PRELOADED)
}

const misses = tally.misses(rounds)
console.log(values.json ? JSON.stringify({ ...tally.figures, misses }) : tally.table())
for (const miss of misses) {
  console.error(`MISSED: ${miss}`)
}
process.exitCode = misses.length === 0 ? 0 : 1
