import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(import.meta.resolve('../../examples/chain/main.ts'))

/** The example as a process of its own, to be killed; gone after the test. Resolves to it when it runs. */
export async function spawnChainNode(
  scope: { after(cleanUp: () => unknown): void },
  args: readonly string[],
): Promise<{ readonly peerId: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  scope.after(() => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, peerId } = JSON.parse(line)
    if (msg === 'ready') {
      // Nobody reads on: a full pipe would stop it.
      child.stdout.resume()
      return {
        peerId,
        async kill() {
          child.kill('SIGKILL')
          await closed
        },
      }
    }
  }
  throw new Error('the node ended before it was ready')
}
