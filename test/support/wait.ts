import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'

/** Waits until something is so; fails with what it waited for when it is not so in time (ms). */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeout = 20_000,
): Promise<void> {
  const end = performance.now() + timeout
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`after ${timeout} ms it is still not so that ${what}`)
    }
    await turn()
    await delay(5)
  }
}
