import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { importTable } from '../support/import-rules.ts'

const FILE = new URL('../../docs/architecture.md', import.meta.url)

/** What stands between the two marks. */
const IMPORTS_PART = /(<!-- imports: [^\n]* -->\n)(.*)(<!-- \/imports -->)/s

it('the table of imports in docs/architecture.md is the one that is asserted', async () => {
  const document = await readFile(FILE, 'utf8')
  const written = IMPORTS_PART.exec(document)?.[2]
  assert(written !== undefined)
  const expected = `\n${importTable()}\n\n`
  if (process.env.UPDATE_DOCS === '1') {
    await writeFile(
      FILE,
      document.replace(IMPORTS_PART, (_, begin, __, end) => begin + expected + end),
    )
    return
  }
  assert.equal(written, expected, 'write it anew: UPDATE_DOCS=1 node --test test/docs/architecture.test.ts')
})
