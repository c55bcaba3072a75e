import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'

/**
 * Waits until a condition holds, which it checks every 5 ms. Throws with what it waited for after `timeout` ms. A condition
 * that asks a node names a longer `every`, ms: asked faster, the node answers with its rate limit.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeout = 20_000,
  every = 5,
): Promise<void> {
  const end = performance.now() + timeout
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`after ${timeout} ms it is still not so that ${what}`)
    }
    await turn()
    await delay(every)
  }
}
