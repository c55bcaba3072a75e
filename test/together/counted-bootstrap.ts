import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CliProcess, startCli } from '../support/cli-process.ts'
import type { Scope } from '../support/last-first.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type FirstMinutes, firstMinutes } from './ask-log.ts'

const COUNT_ASKS = fileURLToPath(import.meta.resolve('./count-asks.ts'))
/** Longer than any row of the battery, ms. */
const LIFETIME_MS = 30 * 60_000

export interface CountedBootstrap {
  /** Its multiaddr. */
  readonly address: string
  readonly process: CliProcess
  asked(): Promise<FirstMinutes>
}

/** The program as it is installed, with its default settings but for where it listens, counting who asks. */
export async function startCountedBootstrap(scope: Scope, ip = '127.0.0.1'): Promise<CountedBootstrap> {
  const cwd = await temporaryFolder(scope)
  const file = join(cwd, 'asks')
  const process = startCli(scope, ['start', '--listen', `/ip4/${ip}/tcp/0`], {
    cwd,
    env: { ASKS_FILE: file },
    nodeArguments: ['--import', COUNT_ASKS],
    lifetime: LIFETIME_MS,
  })
  const { multiaddrs } = (await process.line('ready')) as unknown as { readonly multiaddrs: readonly [string] }
  scope.after(async () => {
    process.kill('SIGKILL')
    await process.ended
  })
  return { address: multiaddrs[0], process, asked: () => firstMinutes(file) }
}
