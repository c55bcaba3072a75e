import type { Command, Operand, Option, SettingHelp } from './command.ts'
import { SETTING_KEYS, type SettingKey, settingOf } from './config/settings.ts'

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
const CLIENT_KEY: Option = {
  name: 'key',
  placeholder: '<file>',
  help: 'Use the identity in this key file. Default: a new one',
}

const CONFIG: Option = {
  name: 'config',
  placeholder: '<file>',
  help: 'Take settings from this JSON file; BOOTSTRAP_PEER_CONFIG also names one.',
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
        help: 'Print the settings in force as a config file, and exit.',
      },
      {
        name: 'accept-list',
        placeholder: '',
        help: 'Accept an edited list even if it leaves out most registrations.',
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
    summary: 'Create a key; an existing one is never overwritten',
    options: [
      CONFIG,
      JSON_OUTPUT,
      { name: 'format', placeholder: '<format>', help: `How the key is written, one of ${FORMATS}. Default: protobuf` },
    ],
    load: () => import('./commands/keygen.ts'),
  },
  {
    name: 'join',
    summary: 'Run a peer that registers, stays listed and shows its connections',
    operand: BOOTSTRAP,
    settings: {
      network: { help: 'The network to join.', facts: 'Default: the one without a name' },
      dataDir: LOCAL_DATA_DIR,
      logLevel: {
        help: 'The lowest level that is logged when stdout is no terminal.',
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
    summary: 'Print the peers that bootstraps list',
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
    summary: 'Find out what is wrong with a bootstrap, or with how it sees this machine',
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
        help: 'Exit with 7 when this machine is not listed. Without it that is a warning.',
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
