import type { ComponentLogger, Logger } from '@libp2p/interface'

/**
 * A logger that writes nothing.
 *
 * In place of @libp2p/logger of libp2p 3.3.11, which makes a named logger for each connection and stream, and tests for each
 * whether it is enabled and whether the output is a terminal.
 *
 * Upstream: no report found. It can go when `test/host/patches/still-needed.test.ts` "libp2p makes loggers for each connection"
 * fails.
 */
export function silentLogger(): ComponentLogger {
  return { forComponent: () => SILENT }
}

const ignore = () => {}
const SILENT: Logger = Object.assign(() => {}, {
  error: ignore,
  trace: ignore,
  enabled: false,
  newScope: () => SILENT,
})
