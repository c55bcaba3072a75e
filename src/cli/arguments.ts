// Parses the command line into a request: help, the version, or a command with its flags, options and operands.

import { parseArgs } from 'node:util'
import { didYouMean } from '../base/did-you-mean.ts'
import type { Command, Invocation } from './command.ts'
import { COMMANDS, settingsOf } from './commands.ts'
import { type SettingKey, settingName, settingOf } from './config/settings.ts'
import { CommandError, EXIT } from './exit-codes.ts'

export type Request =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  /** Without a command: the overview. */
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'version' }

/** Parses a command line, or throws a {@link CommandError} that names the unknown word. */
export function parseArguments(argv: readonly string[]): Request {
  const [first] = argv
  if (first === 'help') {
    return { kind: 'help', command: argv[1] === undefined ? undefined : commandNamed(argv[1]) }
  }
  const named = first !== undefined && !first.startsWith('-')
  const command = named ? commandNamed(first) : COMMANDS[0]
  const { flags, options, operands } = parseFlags(command, named ? argv.slice(1) : [...argv])
  if (options.has('help')) {
    return { kind: 'help', command: named ? command : undefined }
  }
  if (options.has('version')) {
    return { kind: 'version' }
  }
  return { kind: 'run', invocation: { command, flags, options, operands } }
}

function parseFlags(command: Command, args: string[]): Omit<Invocation, 'command'> {
  const settings = new Map(settingsOf(command).map((key) => [settingName(key), key]))
  const switches = new Map<string, boolean>([
    ...[...settings].map(([name, key]) => [name, settingOf(key).kind.placeholder === ''] as const),
    ...command.options.map(({ name, placeholder }) => [name, placeholder === ''] as const),
    ['help', true],
    ['version', true],
  ])
  const flags = new Map<SettingKey, string[]>()
  const options = new Map<string, string>()
  const operands: string[] = []

  for (const token of tokens(args, switches)) {
    if (token.kind !== 'option') {
      if (command.operand !== undefined && token.kind === 'positional') {
        operands.push(token.value)
        continue
      }
      const shown = token.kind === 'positional' ? token.value : '--'
      throw mistake(`${command.name} takes no argument ${JSON.stringify(shown)}, only options`, command)
    }
    const key = settings.get(token.name)
    const value = optionValue(token, switches, command, key)
    if (key === undefined) {
      options.set(token.name, value)
      continue
    }
    const earlier = flags.get(key) ?? []
    if (earlier.length > 0 && !settingOf(key).kind.repeatable) {
      throw mistake(`${token.rawName} is given twice`, command)
    }
    flags.set(key, [...earlier, value])
  }
  return { flags, options, operands }
}

type Token = ReturnType<typeof tokens>[number]

/** Not strict: parseArgs's own messages know neither our names nor what to do instead. */
function tokens(args: string[], switches: ReadonlyMap<string, boolean>) {
  const options = Object.fromEntries(
    [...switches].map(([name, isSwitch]) => [
      name,
      { type: isSwitch ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) } as const,
    ]),
  )
  return parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function optionValue(
  { name, rawName, value, inlineValue }: Extract<Token, { kind: 'option' }>,
  switches: ReadonlyMap<string, boolean>,
  command: Command,
  key: SettingKey | undefined,
): string {
  const isSwitch = switches.get(name)
  if (isSwitch === undefined) {
    const meant = didYouMean(name, switches.keys())
    throw mistake(`unknown option ${rawName}${meant === undefined ? '' : `; did you mean --${meant}?`}`, command)
  }
  if (isSwitch) {
    if (value !== undefined && key === undefined) {
      throw mistake(`${rawName} takes no value`, command)
    }
    return value ?? (key === undefined ? '' : 'true')
  }
  if (value === undefined || (value.startsWith('-') && inlineValue === false)) {
    const example = key === undefined ? '' : `; for example: ${rawName} ${settingOf(key).example}`
    throw mistake(`${rawName} needs a value${example}`, command)
  }
  return value
}

function commandNamed(word: string): Command {
  const command = COMMANDS.find(({ name }) => name === word)
  if (command === undefined) {
    const names = COMMANDS.map(({ name }) => name)
    const meant = didYouMean(word, names)
    const hint = meant === undefined ? `the commands are ${names.join(', ')}` : `did you mean ${meant}?`
    throw new CommandError(EXIT.usage, `unknown command ${JSON.stringify(word)}; ${hint}`)
  }
  return command
}

function mistake(message: string, command: Command): CommandError {
  return new CommandError(EXIT.usage, `${message} (bootstrap-peer ${command.name} --help lists the options)`)
}
