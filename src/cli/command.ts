import type { ConfiguredCommand, SettingKey } from './config/settings.ts'
import type { ExitCode } from './exit-codes.ts'

/** Those that {@link ConfiguredCommand} does not have run a client; they take the settings of `start`, too. */
export type CommandName = ConfiguredCommand | 'join' | 'list' | 'check'

export interface Command {
  readonly name: CommandName
  /** One line for the overview. */
  readonly summary: string
  readonly options: readonly Option[]
  /** Settings that mean something else here than to the node itself. */
  readonly settings?: { readonly [K in SettingKey]?: SettingHelp }
  /** What may follow the command, any number of it. Without it nothing may. */
  readonly operand?: Operand
  /** Loaded when it is run: help and a mistyped flag need no libp2p. */
  load(): Promise<{ run(invocation: Invocation): Promise<ExitCode> }>
}

/** What is only for the command line: not a setting, in no variable and in no file. */
export interface Option {
  readonly name: string
  /** What the help shows in place of a value. Empty for a switch. */
  readonly placeholder: string
  readonly help: string
}

/** What a setting is to a command, in place of its own help. */
export interface SettingHelp {
  readonly help: string
  /** What the help says below it: the default, and whether it can be repeated. */
  readonly facts: string
}

export interface Operand {
  readonly placeholder: string
  readonly help: string
  /** What is done without it. */
  readonly otherwise: string
}

/** What was typed, with every name known; the values of settings are not looked at yet. */
export interface Invocation {
  readonly command: Command
  readonly flags: ReadonlyMap<SettingKey, readonly string[]>
  /** The command's own options; a switch has the value `''`. */
  readonly options: ReadonlyMap<string, string>
  /** What follows the command, when it takes something. */
  readonly operands: readonly string[]
}
