// The log of the process, and the log of libp2p within it.

import { isatty } from 'node:tty'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { harmlessJson } from '../base/harmless-json.ts'
import { remoteText } from '../base/remote-text.ts'

const STDOUT = 1

/** How many bytes that can't be written yet wait in memory; later lines are dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024

const MAX_MESSAGE_CHARACTERS = 1000

/** An error and its cause; Node keeps ten of each. */
const MAX_STACK_FRAMES = 20

/**
 * The log of the process: formatted on a terminal, one JSON object a line elsewhere. Written before the call returns,
 * so that the line with the reason for the end of the process is not lost.
 */
export function createLogger(level: string): PinoLogger {
  const destination = pino.destination({ fd: STDOUT, sync: true, maxLength: MAX_UNWRITTEN_BYTES })
  // A log that cannot be written (disk full, reader gone) does not stop the node.
  destination.on('error', () => {})
  const options = {
    level,
    base: { pid: process.pid },
    serializers: { err: errorFields },
    // The fields of a line quote remote peers, too.
    hooks: { streamWrite: harmlessJson },
  }
  return pino(options, isTerminal() ? readable(destination) : destination)
}

/** Whether the output is a terminal. */
export function isTerminal(): boolean {
  return isatty(STDOUT)
}

/**
 * The log lines of libp2p and the node's parts, in our log: at `debug` and `trace`, and our own failures as `error`.
 */
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
  return { write: (line) => destination.write(harmlessJson(format(line))) }
}

/** An error may quote what a peer sent, and a terminal obeys what it prints: of the stack only the frames are kept. */
function errorFields(error: Error): Record<string, string> {
  const { type, message, stack } = pino.stdSerializers.err(error)
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  const shown = frames.slice(0, MAX_STACK_FRAMES).map((frame) => remoteText(frame))
  return { type, message: remoteText(message, MAX_MESSAGE_CHARACTERS), stack: shown.join('\n') }
}

function componentLogger(log: PinoLogger, name: string): Logger {
  // Most errors of libp2p are caused by remote peers, so they do not alert an operator.
  const errorLevel = name.startsWith('bootstrap-peer') ? 'error' : 'debug'
  const write = (level: 'error' | 'debug' | 'trace', format: unknown, args: unknown[]) => {
    // Tested first: formatting is the cost, and at most levels the line is not written.
    if (log.isLevelEnabled(level)) {
      const err = [format, ...args].find((each) => each instanceof Error)
      log[level]({ ...labelled(name), err }, remoteText(formatted(format, args), MAX_MESSAGE_CHARACTERS))
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

/**
 * libp2p puts the numbers of a connection and of a stream into the names of its components. The remote peer picks the
 * second, and each would be another label to a program that collects logs by component.
 */
function labelled(name: string): { readonly component: string; readonly instance?: string } {
  const [words, numbers] = [[] as string[], [] as string[]]
  for (const part of name.split(':')) {
    ;(WORD.test(part) ? words : numbers).push(part)
  }
  const component = words.join(':')
  return numbers.length === 0 ? { component } : { component, instance: numbers.join(':') }
}

const WORD = /^(libp2p|[a-zA-Z-]+)$/

/** printf as libp2p has it: `%p`, `%a`, `%e` and the like are letters for values that have their own text. */
function formatted(format: unknown, args: readonly unknown[]): string {
  const rest = [...args]
  const text = shown(format).replace(/%([a-zA-Z%])/g, (whole, letter: string) =>
    letter === '%' ? '%' : rest.length > 0 ? shown(rest.shift()) : whole,
  )
  return [text, ...rest.map(shown)].join(' ')
}

function shown(value: unknown): string {
  if (value instanceof Error) {
    return value.message
  }
  // A value without a text of its own would be `[object Object]`.
  return typeof value === 'object' && value?.toString === Object.prototype.toString ? json(value) : String(value)
}

function json(value: object): string {
  try {
    return JSON.stringify(value)
  } catch {
    // A cycle or a bigint: a log line is not worth an exception.
    return '[object]'
  }
}
