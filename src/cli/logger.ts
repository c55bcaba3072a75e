import { isatty } from 'node:tty'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { remoteText } from '../log-text.ts'

/** A stack of a libp2p error is about a dozen lines. */
const MAX_MESSAGE_CHARACTERS = 4000

const STDOUT = 1

/**
 * The log of the process: for eyes on a terminal, one JSON object a line elsewhere. Written before the call returns,
 * so that the line that says why the process ends is not lost with it.
 */
export function createLogger(level: string): PinoLogger {
  const destination = pino.destination({ fd: STDOUT, sync: true, maxLength: 1024 * 1024 })
  // A log that can't be written (disk full, reader gone) is no reason to stop serving.
  destination.on('error', () => {})
  const options = { level, base: { pid: process.pid }, serializers: { err: errorFields } }
  return pino(options, isTerminal() ? readable(destination) : destination)
}

/** Whether a person is reading. */
export function isTerminal(): boolean {
  return isatty(STDOUT)
}

/** What the parts of the node say, in our log: at `debug` and `trace`, and what went wrong with us as `error`. */
export function componentLoggers(log: PinoLogger): ComponentLogger {
  return { forComponent: (name) => componentLogger(log, name) }
}

function readable(destination: DestinationStream): DestinationStream {
  const format = prettyFactory({
    colorize: process.env.NO_COLOR === undefined,
    singleLine: true,
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss',
  })
  return { write: (line) => destination.write(format(line)) }
}

/** An error may quote what a peer sent, and a terminal obeys what it prints. */
function errorFields(error: Error): Record<string, string> {
  const { type, message, stack } = pino.stdSerializers.err(error)
  return { type, message: remoteText(message, MAX_MESSAGE_CHARACTERS), stack: lines(stack) }
}

/** A stack is of lines that are its own, up to a length. */
function lines(text: string): string {
  const kept = text.slice(0, MAX_MESSAGE_CHARACTERS).split('\n')
  return kept.map((line) => remoteText(line, MAX_MESSAGE_CHARACTERS)).join('\n')
}

function componentLogger(log: PinoLogger, name: string): Logger {
  // Most errors of libp2p are the doing of remote peers: no operator wants to be woken by them.
  const errorLevel = name.startsWith('bootstrap-peer') ? 'error' : 'debug'
  const write = (level: 'error' | 'debug' | 'trace', format: unknown, args: unknown[]) => {
    // Asked first: formatting is the cost, and at most levels nobody reads it.
    if (log.isLevelEnabled(level)) {
      log[level]({ component: name }, remoteText(formatted(format, args), MAX_MESSAGE_CHARACTERS))
    }
  }
  const debug = (format: unknown, ...args: unknown[]) => write('debug', format, args)
  return Object.assign(debug, {
    error: (format: unknown, ...args: unknown[]) => write(errorLevel, format, args),
    trace: (format: unknown, ...args: unknown[]) => write('trace', format, args),
    enabled: log.isLevelEnabled('debug'),
    newScope: (scope: string) => componentLogger(log, `${name}:${scope}`),
  })
}

/** printf as libp2p has it: `%p`, `%a`, `%e` and the like are letters for things that know their own text. */
function formatted(format: unknown, args: readonly unknown[]): string {
  const rest = [...args]
  const text = shown(format).replace(/%([a-zA-Z%])/g, (whole, letter: string) =>
    letter === '%' ? '%' : rest.length > 0 ? shown(rest.shift()) : whole,
  )
  return [text, ...rest.map(shown)].join(' ')
}

function shown(value: unknown): string {
  if (value instanceof Error) {
    return value.stack ?? value.message
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return plainObject(value)
  }
  return String(value)
}

function plainObject(value: object): string {
  try {
    return JSON.stringify(value)
  } catch {
    // A cycle or a bigint: a log line is not worth an exception.
    return '[object]'
  }
}
