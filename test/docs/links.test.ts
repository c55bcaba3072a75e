import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { it } from 'node:test'
import { PLANNED } from '../support/import-rules.ts'

const ROOT = new URL('../../', import.meta.url)
const README = readFileSync(new URL('README.md', ROOT), 'utf8')

for (const file of globSync(['*.md', 'docs/**/*.md', 'test/README.md'], { cwd: ROOT.pathname })) {
  it(`the links of ${file} lead somewhere`, () => {
    const text = readFileSync(new URL(file, ROOT), 'utf8')
    const prose = text.replaceAll(/^```.*?^```/gms, '')
    for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (!/^https?:/.test(link!)) {
        const [path, anchor] = link!.split('#') as [string, string?]
        const target = path === '' ? new URL(file, ROOT) : new URL(path, new URL(file, ROOT))
        assert.ok(existsSync(target), `${file} links to ${link}`)
        assert.ok(anchor === undefined || anchorsOf(target).has(anchor), `${file} links to ${link}`)
      }
    }
  })
}

it('the documents name files that exist', () => {
  const texts = globSync(['*.md', 'docs/**/*.md', 'test/README.md'], { cwd: ROOT.pathname })
    // A change log names files that are gone.
    .filter((file) => file !== 'CHANGELOG.md')
    .map((file) => [file, readFileSync(new URL(file, ROOT), 'utf8')] as const)
  const paths = texts.flatMap(([file, text]) =>
    Array.from(
      text.matchAll(/`((?:src|test|bench|interop|examples|bin)\/[\w./-]+)`/g),
      ([, path]) => [file, path!] as const,
    ),
  )
  assert.ok(paths.length > 50)
  const exists = (path: string) => ['', '.ts'].some((end) => existsSync(new URL(`${path}${end}`, ROOT)))
  const missing = paths.filter(([, path]) => !PLANNED.has(path.replace(/^src\//, '')) && !exists(path))
  assert.deepEqual(missing, [])
})

it('README.md begins with the two commands, as they are', () => {
  const commands = Array.from(README.matchAll(/^```console\n\$ (.*)\n```$/gm), ([, command]) => command)
  assert.deepEqual(commands, ['npm ci && npm start', 'npm ci && npm test'])
})

it('README.md imports what the package exports', async () => {
  const exported: Readonly<Record<string, object>> = {
    'bootstrap-peer': await import('../../src/index.ts'),
    'bootstrap-peer/client': await import('../../src/client/index.ts'),
  }
  const imports = Array.from(README.matchAll(/^import \{ (.*) \} from '(bootstrap-peer.*)'$/gm))
  assert.equal(imports.length, 2)
  for (const [, names, from] of imports) {
    for (const name of names!.split(', ')) {
      assert.ok(Object.hasOwn(exported[from!]!, name), `${from} exports no ${name}`)
    }
  }
})

it('the seeded defects are in files that exist, and name tests that exist', () => {
  const patches = globSync('test/defects/*.patch', { cwd: ROOT.pathname })
  assert.ok(patches.length > 20)
  for (const patch of patches) {
    const named = readFileSync(new URL(patch, ROOT), 'utf8').matchAll(/^(?:--- a\/|\+\+\+ b\/|Test: )(\S+)$/gm)
    for (const [, file] of named) {
      assert.ok(existsSync(new URL(file!, ROOT)), `${patch} names ${file}`)
    }
  }
})

function anchorsOf(document: URL): Set<string> {
  const headings = readFileSync(document, 'utf8').matchAll(/^#+ (.*)$/gm)
  return new Set(Array.from(headings, ([, heading]) => anchorOf(heading!)))
}

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
