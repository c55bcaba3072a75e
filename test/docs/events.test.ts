import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { membersOf } from '../support/docstrings.ts'

const FILE = new URL('../../docs/client.md', import.meta.url)

it('the table of events of createBootstrapPeer in docs/client.md is the one in the code', () => {
  const pattern = /(<!-- events of createBootstrapPeer: [^\n]* -->\n)(.*?)(<!-- \/events -->)/s
  const document = readFileSync(FILE, 'utf8')
  if (process.env.UPDATE_DOCS === '1') {
    writeFileSync(
      FILE,
      document.replace(pattern, (_, begin, __, end) => begin + table() + end),
    )
    return
  }
  assert.equal(
    pattern.exec(document)?.[2],
    table(),
    'write it anew: UPDATE_DOCS=1 node --test test/docs/events.test.ts',
  )
})

function table(): string {
  const rows = membersOf('src/service/service-init.ts', 'BootstrapServiceEvents').map(({ name, type, help }) => {
    const [, detail] = /^CustomEvent<(.*)>$/.exec(type) ?? []
    assert.ok(detail !== undefined, `${name} is no CustomEvent with a detail`)
    return `| \`${name}\` | \`${detail}\` | ${help} |`
  })
  return `\n| event | \`detail\` | dispatched when |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`
}
