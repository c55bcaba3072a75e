import type { Invocation } from './arguments.ts'
import { type ConfiguredCommand, SETTING_KEYS, type SettingKey, settingOf } from './config/settings.ts'
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

const BOOTSTRAP: Operand = {
  placeholder: '[<bootstrap>...]',
  help: 'A multiaddr with its PeerId, or /dnsaddr/<name>; several are used side by side.',
  otherwise: 'Default: the node of this machine, found by the key and listen settings of start',
}
const NETWORKS: SettingHelp = {
  help: 'The network to ask for.',
  facts: 'Repeatable. Default: the one without a name',
}
const LOCAL_DATA_DIR: SettingHelp = {
  help: 'Where the node of this machine keeps its key, when no bootstrap is named.',
  facts: 'Default: .',
}
const PORT: Option = {
  name: 'port',
  placeholder: '<port>',
  help: 'The TCP port that this peer listens on. Default: any that is free',
}
const CLIENT_KEY: Option = { name: 'key', placeholder: '<file>', help: 'Be the peer of this key. Default: a new one' }

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
      {
        name: 'accept-list',
        placeholder: '',
        help: 'Take the list as it was edited, even where it leaves out most of what was registered.',
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
  {
    name: 'join',
    summary: 'Run a peer that registers, stays listed and shows who comes and goes',
    operand: BOOTSTRAP,
    settings: {
      network: { help: 'The network to be in.', facts: 'Default: the one without a name' },
      dataDir: LOCAL_DATA_DIR,
      logLevel: {
        help: 'The least important lines that are printed, where that is no terminal.',
        facts: 'Default: info',
      },
    },
    options: [
      CONFIG,
      PORT,
      CLIENT_KEY,
      { name: 'cache', placeholder: '<file>', help: 'Remember peers that worked in this file. Default: none' },
      { name: 'target', placeholder: '<count>', help: 'How many peers to be connected to. Default: 8' },
    ],
    load: () => import('./commands/join.ts'),
  },
  {
    name: 'list',
    summary: 'Print the peers that bootstraps hand out',
    operand: BOOTSTRAP,
    settings: { network: NETWORKS, dataDir: LOCAL_DATA_DIR },
    options: [
      CONFIG,
      { name: 'limit', placeholder: '<count>', help: 'How many peers to ask each for, up to 1000. Default: up to 250' },
      JSON_OUTPUT,
    ],
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'check',
    summary: 'Tell what is wrong with a bootstrap, or with how it sees this machine',
    operand: BOOTSTRAP,
    settings: { network: NETWORKS, dataDir: LOCAL_DATA_DIR },
    options: [
      CONFIG,
      PORT,
      CLIENT_KEY,
      { name: 'dial', placeholder: '', help: 'Dial the peers it lists, too.' },
      {
        name: 'require-listed',
        placeholder: '',
        help: 'Fail when this machine is not listed; without it that is a warning.',
      },
      JSON_OUTPUT,
    ],
    load: () => import('./commands/check.ts'),
  },
]

/** The settings that are flags of the command. */
export function settingsOf(command: Command): SettingKey[] {
  return SETTING_KEYS.filter(
    (key) => command.settings?.[key] !== undefined || settingOf(key).commands.some((name) => name === command.name),
  )
}
