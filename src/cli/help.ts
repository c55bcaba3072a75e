// The texts of `--help`: the overview, and one text for each command.

import type { Command } from './command.ts'
import { COMMANDS, settingsOf } from './commands.ts'
import { SETTINGS, type SettingKey, settingName, settingOf, settingVariable } from './config/settings.ts'

/** `bootstrap-peer --help` */
export function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => row(`bootstrap-peer ${name}`, summary))
  return `${[
    'A bootstrap and rendezvous server for libp2p: peers register, and clients get those that answered a dial-back.',
    '',
    ...rows,
    row('bootstrap-peer --version', 'Print the version'),
    '',
    'bootstrap-peer <command> --help lists the options of a command.',
  ].join('\n')}\n`
}

/** `bootstrap-peer <command> --help` */
export function commandHelp(command: Command): string {
  const { operand } = command
  const settings = settingsOf(command)
  return `${[
    `bootstrap-peer ${command.name}${operand === undefined ? '' : ` ${operand.placeholder}`}: ${command.summary}`,
    '',
    ...(operand === undefined ? [] : [row(operand.placeholder, operand.help), row('', operand.otherwise), '']),
    ...(settings.length === 0 ? [] : [...settings.map((key) => settingRow(key, command)), '']),
    ...command.options.map(({ name, placeholder, help }) => row(flag(name, placeholder), help)),
    row('--help, -h', 'Print this.'),
    ...(settings.length === 0 ? [] : settingsNote(command, settings)),
  ].join('\n')}\n`
}

function settingsNote(command: Command, [first]: readonly SettingKey[]): string[] {
  return [
    '',
    `Each option of the first group is also a variable, such as ${settingVariable(first!)}, and a key of the config file.`,
    'A flag wins over a variable, a variable over the file.',
    ...(command.settings === undefined
      ? []
      : ['Variables and config file may be those of start: settings that this command does not use are ignored.']),
  ]
}

/** The default of a setting, as help and documents show it. */
export function defaultText(key: SettingKey): string {
  const { kind, default: value } = settingOf(key)
  const json = kind.toJson(value)
  return Array.isArray(json) ? json.join(', ') || 'none' : String(json ?? 'none')
}

function settingRow(key: SettingKey, { settings }: Command): string {
  const { kind, help } = settingOf(key)
  const own = `${kind.repeatable ? 'Repeatable. ' : ''}Default: ${defaultText(key)}`
  const shown = settings?.[key] ?? { help, facts: own }
  return `${row(flag(settingName(key), kind.placeholder), shown.help)}\n${row('', shown.facts)}`
}

function flag(name: string, placeholder: string): string {
  return `--${name} ${placeholder}`.trim()
}

/** The width of the left column, so that the right one is aligned. */
const LEFT = 2 + Math.max(...Object.keys(SETTINGS).map((key) => settingName(key as SettingKey).length)) + 16

function row(left: string, right: string): string {
  const indented = `  ${left}`
  return indented.length < LEFT ? indented.padEnd(LEFT) + right : `${indented}\n${' '.repeat(LEFT)}${right}`
}
