import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(import.meta.resolve('../../examples/chain/main.ts'))

/** How long a process may take to say that it is ready, ms: a busy machine of two cores needs a few seconds. */
const READY_MS = 30_000

/** The example as a process of its own, to be killed; gone after the test. Resolves to it when it runs. */
export async function spawnChainNode(
  scope: { after(cleanUp: () => unknown): void },
  args: readonly string[],
): Promise<{ readonly peerId: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const kill = async () => {
    child.kill('SIGKILL')
    await closed
  }
  scope.after(kill)
  // Its lines are read to its end: a full pipe would stop it.
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, peerId } = JSON.parse(line)
      if (msg === 'ready') {
        resolve(peerId)
      }
    })
  })
  const settled = new AbortController()
  const { signal } = settled
  const late = delay(READY_MS, undefined, { signal }).then(() => `was not ready after ${READY_MS} ms`)
  const failure = Promise.race([closed.then(() => 'ended before it was ready'), late]).then((what) => {
    throw new Error(`the node ${what}`)
  })
  failure.catch(() => {})
  const peerId = await Promise.race([ready, failure]).finally(() => settled.abort())
  return { peerId, kill }
}
