import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { it } from 'node:test'

const ROOT = new URL('../../', import.meta.url)

for (const file of globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT.pathname })) {
  it(`the links of ${file} lead somewhere`, () => {
    const text = readFileSync(new URL(file, ROOT), 'utf8')
    const prose = text.replaceAll(/^```.*?^```/gms, '')
    const headings = new Set(Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) => anchorOf(heading!)))
    for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link!.startsWith('#')) {
        assert.ok(headings.has(link!.slice(1)), `${file} has no part ${link}`)
      } else if (!/^https?:/.test(link!)) {
        assert.ok(existsSync(new URL(link!.split('#')[0]!, new URL(file, ROOT))), `${file} links to ${link}`)
      }
    }
  })
}

it('the client in README.md is the one that runs', () => {
  const client = readFileSync(new URL('protocol-client.js', import.meta.url), 'utf8').replace(/\/\*\*.*?\*\/\n/s, '')
  assert.ok(readFileSync(new URL('README.md', ROOT), 'utf8').includes(client))
})

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
