import type { ComponentLogger, Logger } from '@libp2p/interface'

/**
 * A logger that writes nothing. libp2p's default makes a named logger for each connection and stream, and tests for
 * each whether it is enabled and whether the output is a terminal.
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
