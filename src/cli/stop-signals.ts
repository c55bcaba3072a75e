// Waits for the signals that stop the process.

import { constants } from 'node:os'

/** Ctrl-C, and the signal of supervisors. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Resolves with the first signal to stop. A second one ends the process at once, with 128 and its number. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let signalled = false
  for (const signal of STOP_SIGNALS) {
    // The bin's, which ends a process that has nothing to stop.
    process.removeAllListeners(signal)
    process.on(signal, () => {
      if (signalled) {
        process.exit(128 + constants.signals[signal])
      }
      signalled = true
      resolve(signal)
    })
  }
  return promise
}
