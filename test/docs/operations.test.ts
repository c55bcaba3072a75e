import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import type { Command } from '../../src/cli/command.ts'
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
import { summaries } from '../../src/cli/summary.ts'
import { HANG_UPS, REFUSALS } from '../../src/host/guard/guard-counters.ts'
import { createBootstrapPeer } from '../../src/index.ts'
import { zeroCounters } from '../../src/service/counters.ts'
import { type Documented, itemsOf, membersOf } from '../support/docstrings.ts'

const FILE = new URL('../../docs/operations.md', import.meta.url)

/** Each part of the document that is written by this test. */
const GENERATED: Readonly<Record<string, () => string>> = {
  commands: commandsTable,
  settings: settingsTable,
  summary: () => table('member', membersOf('src/cli/summary.ts', 'SummaryLine')),
  'reasons of refusedConnections': () => table('reason', itemsOf('src/host/guard/guard-counters.ts', 'REFUSALS')),
  'reasons of hungUp': () => table('reason', itemsOf('src/host/guard/guard-counters.ts', 'HANG_UPS')),
}

for (const [part, table] of Object.entries(GENERATED)) {
  it(`the table of ${part} in docs/operations.md is the one in the code`, async () => {
    const document = await readFile(FILE, 'utf8')
    const pattern = new RegExp(`(<!-- ${part}: [^\\n]* -->\\n)(.*)(<!-- /${part} -->)`, 's')
    const written = pattern.exec(document)?.[2]
    assert(written !== undefined)
    if (process.env.UPDATE_DOCS === '1') {
      await writeFile(
        FILE,
        document.replace(pattern, (_, begin, __, end) => begin + table() + end),
      )
      return
    }
    assert.equal(written, table(), 'write it anew: UPDATE_DOCS=1 node --test test/docs/operations.test.ts')
  })
}

it('every exit code is in docs/operations.md', async () => {
  const document = await readFile(FILE, 'utf8')
  for (const code of Object.values(EXIT)) {
    assert(document.includes(`\n| ${code} | `), String(code))
  }
})

it('the summary line has the members that its table describes', async () => {
  const node = createBootstrapPeer()
  await node.start()
  const { status } = node
  await node.stop()
  const line = summaries()({ ...status, store: { status: 'failing', code: 'ENOSPC', since: 0, retryAt: 0 } })
  assert.deepEqual(
    Object.keys(line),
    membersOf('src/cli/summary.ts', 'SummaryLine').map(({ name }) => name),
  )
})

it('the summary line has each counter of the service, and each reason of the guard has words', () => {
  const members = membersOf('src/cli/summary.ts', 'SummaryLine').map(({ name }) => name)
  assert.deepEqual(
    Object.keys(zeroCounters()).filter((counter) => !members.includes(counter)),
    [],
  )
  const reasons = [
    itemsOf('src/host/guard/guard-counters.ts', 'REFUSALS'),
    itemsOf('src/host/guard/guard-counters.ts', 'HANG_UPS'),
  ]
  assert.deepEqual(
    reasons.map((items) => items.map(({ name }) => name)),
    [[...REFUSALS], [...HANG_UPS]],
  )
})

function table(first: string, rows: readonly Documented[]): string {
  return `\n| ${first} | means |\n| --- | --- |\n${rows.map(({ name, help }) => `| \`${name}\` | ${help} |`).join('\n')}\n\n`
}

function commandsTable(): string {
  const rows = COMMANDS.map((command) => {
    const { name, operand, summary } = command
    return `| \`${[name, operand?.placeholder ?? ''].join(' ').trim()}\` | ${summary} | ${optionsOf(command)} |`
  })
  return `\n| command | does | options of its own |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`
}

function optionsOf({ options }: Command): string {
  return options.map(({ name, placeholder }) => `\`${`--${name} ${placeholder}`.trim()}\``).join(', ')
}

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
