import { type ConfiguredCommand, SETTING_KEYS, type SettingKey, settingOf } from '../config.ts'
import type { Invocation } from './arguments.ts'
import type { ExitCode } from './exit-codes.ts'

export interface Command {
  readonly name: ConfiguredCommand
  /** One line for the overview. */
  readonly summary: string
  readonly options: readonly Option[]
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

const CONFIG: Option = {
  name: 'config',
  placeholder: '<file>',
  help: 'Take settings from this JSON file; BOOTSTRAP_PEER_CONFIG names one too.',
}
const JSON_OUTPUT: Option = { name: 'json', placeholder: '', help: 'Print one JSON object.' }
const FORMATS = 'protobuf, base64, lodestar, pem'

/** Every command; the first is the one that runs when none is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  {
    name: 'start',
    summary: 'Run the node (also when no command is named)',
    options: [
      CONFIG,
      {
        name: 'print-config',
        placeholder: '',
        help: 'Print the settings in force as a config file, and start nothing.',
      },
    ],
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'id',
    summary: 'Print the PeerId of the key',
    options: [
      CONFIG,
      JSON_OUTPUT,
      { name: 'export', placeholder: '<format>', help: `Print the private key instead, as one of ${FORMATS}.` },
    ],
    load: () => import('./commands/id.ts'),
  },
  {
    name: 'keygen',
    summary: 'Make a new key, and never over another',
    options: [
      CONFIG,
      JSON_OUTPUT,
      { name: 'format', placeholder: '<format>', help: `How the key is written, one of ${FORMATS}. Default: protobuf` },
    ],
    load: () => import('./commands/keygen.ts'),
  },
]

/** The settings that are flags of the command. */
export function settingsOf(command: Command): SettingKey[] {
  return SETTING_KEYS.filter((key) => settingOf(key).commands.includes(command.name))
}
