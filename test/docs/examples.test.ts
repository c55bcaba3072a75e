import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'

const ROOT = new URL('../../', import.meta.url)

/** What a reader takes in at a sitting, and copies. */
const MAX_LINES = 60
const MAX_COLUMNS = 150

for (const path of ['examples/go/main.go', 'examples/rust/src/main.rs', 'examples/python/main.py']) {
  it(`${path} has at most ${MAX_LINES} lines`, () => {
    const lines = read(path).trimEnd().split('\n')
    assert.ok(lines.length <= MAX_LINES, `${lines.length} lines`)
    assert.ok(lines.every((line) => line.length <= MAX_COLUMNS))
  })
}

/** Or the libraries are fetched and built twice, and what is tried is not what is shown. */
for (const [path, interop, pattern] of [
  ['examples/go/go.mod', 'interop/go/go.mod', /^\s*(?:require )?(\S+) (v\S+)/gm],
  ['examples/go-discovery/go.mod', 'interop/go/go.mod', /^\s*(?:require )?(\S+) (v\S+)/gm],
  ['examples/rust/Cargo.lock', 'interop/rust/Cargo.lock', /^name = "(.*)"\nversion = "(.*)"/gm],
] as const) {
  it(`${path} has the versions of ${interop}`, () => {
    const known = Map.groupBy(read(interop).matchAll(pattern), ([, name]) => name)
    const shared = [...read(path).matchAll(pattern)].filter(([, name]) => known.has(name))
    assert.ok(shared.length > 20)
    for (const [, name, version] of shared) {
      const versions = known.get(name)!.map(([, , each]) => each)
      assert.ok(versions.includes(version), `${name} ${version}, not ${versions.join(' or ')}`)
    }
  })
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}
