import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { COMMANDS, settingsOf } from '../../src/cli/commands.ts'
import {
  SETTING_KEYS,
  type SettingKey,
  settingName,
  settingOf,
  settingVariable,
} from '../../src/cli/config/settings.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { defaultText } from '../../src/cli/help.ts'

const FILE = new URL('../../docs/operations.md', import.meta.url)

/** What stands between the two marks. */
const SETTINGS_PART = /(<!-- settings: [^\n]* -->\n)(.*)(<!-- \/settings -->)/s

it('the table of settings in docs/operations.md is the one in the code', async () => {
  const document = await readFile(FILE, 'utf8')
  const written = SETTINGS_PART.exec(document)?.[2]
  assert(written !== undefined)
  if (process.env.UPDATE_DOCS === '1') {
    await writeFile(
      FILE,
      document.replace(SETTINGS_PART, (_, begin, __, end) => begin + settingsTable() + end),
    )
    return
  }
  assert.equal(written, settingsTable(), 'write it anew: UPDATE_DOCS=1 node --test test/docs/operations.test.ts')
})

it('every exit code is in docs/operations.md', async () => {
  const document = await readFile(FILE, 'utf8')
  for (const code of Object.values(EXIT)) {
    assert(document.includes(`\n| ${code} | `), String(code))
  }
})

function settingsTable(): string {
  const rows = SETTING_KEYS.map(row)
  return `\n| name | default | what it sets |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`
}

function row(key: SettingKey): string {
  const { kind, help } = settingOf(key)
  const others = COMMANDS.filter((command) => command.name !== 'start' && settingsOf(command).includes(key))
  const value = kind.placeholder === '' ? '`true` or `false`' : `\`${kind.placeholder.replaceAll('|', '\\|')}\``
  const facts = [
    help,
    `${kind.repeatable ? `Repeatable: ${value} each.` : `Value: ${value}.`}`,
    `\`${settingVariable(key)}\`.`,
    ...(others.length > 0 ? [`Also of ${inWords(others.map(({ name }) => name))}.`] : []),
  ]
  return `| \`${settingName(key)}\` | ${defaultText(key)} | ${facts.join(' ')} |`
}

function inWords(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names)
}
