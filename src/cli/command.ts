// What a command is: its name, options, operands, and how it is loaded. Types only.

import type { ConfiguredCommand, SettingKey } from './config/settings.ts'
import type { ExitCode } from './exit-codes.ts'

/** Commands that are not in {@link ConfiguredCommand} run a client; they take the settings of `start`, too. */
export type CommandName = ConfiguredCommand | 'join' | 'list' | 'check'

export interface Command {
  readonly name: CommandName
  /** One line for the overview. */
  readonly summary: string
  readonly options: readonly Option[]
  /** Settings that mean something else here than for the node itself. */
  readonly settings?: { readonly [K in SettingKey]?: SettingHelp }
  /** The operands of the command, any number. Without it there may be none. */
  readonly operand?: Operand
  /** Loads the command when it is run: help and a mistyped flag need no libp2p. */
  load(): Promise<{ run(invocation: Invocation): Promise<ExitCode> }>
}

/** An option of the command line only: not a setting, in no variable and in no file. */
export interface Option {
  readonly name: string
  /** The placeholder of its value in the help. Empty for a switch. */
  readonly placeholder: string
  readonly help: string
}

/** The help of a setting for one command, in place of its own. */
export interface SettingHelp {
  readonly help: string
  /** The line below it in the help: the default, and whether it can be repeated. */
  readonly facts: string
}

export interface Operand {
  readonly placeholder: string
  readonly help: string
  /** What the command does without it. */
  readonly otherwise: string
}

/** The command line, with every name known; the values of settings are not checked yet. */
export interface Invocation {
  readonly command: Command
  readonly flags: ReadonlyMap<SettingKey, readonly string[]>
  /** The command's own options; a switch has the value `''`. */
  readonly options: ReadonlyMap<string, string>
  /** The operands, where the command takes any. */
  readonly operands: readonly string[]
}
