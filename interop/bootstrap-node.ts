import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolder } from '../test/support/temporary-folder.ts'
import { type Lines, startLines } from './process.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'bootstrap-peer.js')
const READY_TIMEOUT_MS = 60_000
/** Pino's level of an error. */
const ERROR_LEVEL = 50

/** The spawned node, as an operator runs it. */
export interface BootstrapNode {
  /** With `/p2p`. */
  readonly multiaddr: string
  readonly peersFile: string
  /** Stops it as a supervisor does. Rejects when it had an error or does not exit with 0. */
  stop(): Promise<void>
}

/** An empty folder; `scope` removes it. */
export async function temporaryFolder(scope: AsyncDisposableStack): Promise<string> {
  const folder = await newFolder()
  scope.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a node whose files are in the folder. It is gone with `scope` at the latest. */
export async function startNode(scope: AsyncDisposableStack, folder: string): Promise<BootstrapNode> {
  const node = startLines(process.execPath, [BIN, 'start', '--listen', '/ip4/127.0.0.1/tcp/0'], { cwd: folder })
  let exit: Promise<number | null> | undefined
  const end = () => (exit ??= node.end('SIGTERM'))
  scope.defer(async () => void (await end()))
  return {
    multiaddr: await readyAddress(node),
    peersFile: join(folder, 'peers.json'),
    async stop() {
      const code = await end()
      const faults = node.lines.filter((line) => JSON.parse(line).level >= ERROR_LEVEL)
      if (code !== 0 || faults.length > 0) {
        throw new Error(`exit code ${code}. ${faults.slice(0, 3).join(' ')}`)
      }
    },
  }
}

/** The version that identify has to say. */
export async function packageVersion(): Promise<string> {
  return JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8')).version
}

async function readyAddress(node: Lines): Promise<string> {
  for (let at = 0; ; at++) {
    const { msg, multiaddrs } = JSON.parse(await node.line(at, READY_TIMEOUT_MS))
    if (msg === 'ready') {
      return multiaddrs[0]
    }
  }
}
