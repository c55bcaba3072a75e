import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { REGISTERING, STACKS, type Stack, sees, UPSTREAM, type Upstream } from '../../interop/who-sees-whom.ts'

const FILE = new URL('../../docs/rendezvous.md', import.meta.url)
const README = new URL('../../README.md', import.meta.url)

/** What stands between the two marks. */
const TABLE_PART = /(<!-- who sees whom: [^\n]* -->\n)(.*)(<!-- \/who sees whom -->)/s

it('who sees whom in docs/rendezvous.md is what the interop cells expect', async () => {
  const document = await readFile(FILE, 'utf8')
  const written = TABLE_PART.exec(document)?.[2]
  assert(written !== undefined)
  if (process.env.UPDATE_DOCS === '1') {
    await writeFile(
      FILE,
      document.replace(TABLE_PART, (_, begin, __, end) => begin + table() + end),
    )
    return
  }
  assert.equal(written, table(), 'write it anew: UPDATE_DOCS=1 node --test test/docs/rendezvous.test.ts')
})

it('each no has its upstream issue in the first paragraph of docs/rendezvous.md, and in the README', async () => {
  const [, first] = (await readFile(FILE, 'utf8')).split('\n\n')
  const readme = await readFile(README, 'utf8')
  for (const { issue } of Object.values(UPSTREAM)) {
    assert.ok(first!.includes(issue), `the first paragraph of docs/rendezvous.md does not name ${issue}`)
    assert.ok(readme.includes(issue), `README.md does not name ${issue}`)
  }
})

function table(): string {
  const stacks = Object.keys(STACKS) as Stack[]
  const nos: Upstream[] = []
  const rows = REGISTERING.map((row) => {
    const cells = stacks.map((stack) => {
      const seen = sees(stack, row)
      if (seen !== true && !nos.includes(seen)) {
        nos.push(seen)
      }
      return seen === true ? 'yes' : `no, ${linkOf(seen)}`
    })
    return `| ${STACKS[row.stack]}, ${row.what} | ${cells.join(' | ')} |`
  })
  const head = `| registered by | ${stacks.map((stack) => `handed to ${STACKS[stack]}`).join(' | ')} |`
  const reasons = nos.map((no) => `- ${linkOf(no)}: ${no.why}.`)
  return `\n${head}\n| --- |${' --- |'.repeat(stacks.length)}\n${rows.join('\n')}\n\n${reasons.join('\n')}\n\n`
}

function linkOf({ issue }: Upstream): string {
  const [repository, number] = issue.split('#')
  // GitHub leads from an issue's address to the pull request of that number.
  return `[#${number}](https://github.com/${repository}/issues/${number})`
}
