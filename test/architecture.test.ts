import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  CIRCLES,
  EXCEPTIONS,
  FEW_LINES,
  importTable,
  isPermitted,
  LONG,
  MOST_LINES,
  PARTS,
  PLANNED,
  partOf,
  permittedOf,
} from './support/import-rules.ts'

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))

interface Import {
  readonly from: string
  readonly to: string
}

const files = globSync('**/*.ts', { cwd: SOURCE })
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(SOURCE, file), 'utf8')))
const texts = new Set(imports.map(textOf))

describe('imports', () => {
  it('are seen: there are more of them than files, and each leads to a file', () => {
    assert.ok(files.length > 40)
    assert.ok(imports.length > files.length)
    assert.deepEqual(imports.filter(({ to }) => !files.includes(to)).map(textOf), [])
  })

  it('follow the rules, types or not', () => {
    const breaking = imports.filter((each) => !isPermitted(each)).map(textOf)
    assert.deepEqual(
      breaking.filter((each) => !Object.hasOwn(EXCEPTIONS, each)),
      [],
    )
  })

  it('never lead in a circle', () => {
    const circle = findCircle(imports.filter((each) => !Object.hasOwn(CIRCLES, textOf(each))))
    assert.equal(circle?.join(' → '), undefined)
  })
})

describe('a file', () => {
  const tooLong = files.filter((file) => isTooLong(readFileSync(join(SOURCE, file), 'utf8')))

  it(`of src has ${MOST_LINES} lines at most, and above ${FEW_LINES} its first comment says why`, () => {
    assert.deepEqual(
      tooLong.filter((file) => !Object.hasOwn(LONG, file)),
      [],
    )
    assert.deepEqual(
      Object.keys(LONG).filter((file) => !tooLong.includes(file)),
      [],
      'these fit by now: take them out of LONG',
    )
  })

  it('is measured, and its first comment is found', () => {
    const lines = (count: number) => 'x\n'.repeat(count)
    assert.equal(isTooLong(lines(FEW_LINES)), false)
    assert.equal(isTooLong(lines(FEW_LINES + 1)), true)
    assert.equal(isTooLong(`/** Long because it is. */\n${lines(MOST_LINES - 1)}`), false)
    assert.equal(isTooLong(`// Long\n// because it is.\n${lines(MOST_LINES - 2)}`), false)
    assert.equal(isTooLong(`/** Long because it is. */\n${lines(MOST_LINES)}`), true)
    assert.equal(isTooLong(`// Long.\n${lines(FEW_LINES)}// because\n`), true)
  })
})

describe('the rules of imports', () => {
  it('have a row for every file, and none without a file but for what is planned', () => {
    assert.deepEqual(
      files.filter((file) => partOf(file) === undefined),
      [],
    )
    const there = new Set(files.map(partOf))
    assert.deepEqual(new Set(PARTS.filter((part) => !there.has(part))), PLANNED)
  })

  it('have no circle', () => {
    const permissions = PARTS.flatMap((part) =>
      permittedOf(part).map((path) => ({ from: part, to: partOf(path) ?? path })),
    )
    assert.equal(findCircle(permissions)?.join(' → '), undefined)
    assert.deepEqual(permissions.filter(({ to }) => !PARTS.includes(to as (typeof PARTS)[number])).map(textOf), [])
  })

  it('let frontends see nothing of a point but its api, and never each other', () => {
    for (const part of PARTS.filter((each) => each.startsWith('frontends/'))) {
      const seen = permittedOf(part).filter((path) => /^(frontends|point|proofs|registry|store|host)\b/.test(path))
      assert.deepEqual(
        seen.filter((path) => path !== 'frontends/exchanges' && path !== 'point/point-api.ts'),
        [],
        part,
      )
    }
  })

  it('have only exceptions that are needed', () => {
    const needed = imports.filter((each) => !isPermitted(each)).map(textOf)
    assert.deepEqual(
      Object.keys(EXCEPTIONS).filter((each) => !needed.includes(each)),
      [],
    )
    for (const left of Object.keys(CIRCLES)) {
      assert.ok(texts.has(left), `${left} is gone`)
      const rest = imports.filter((each) => textOf(each) === left || !Object.hasOwn(CIRCLES, textOf(each)))
      assert.ok(findCircle(rest) !== undefined, `${left} is in no circle`)
    }
  })

  it('are a table that names each part once', () => {
    const [, , ...lines] = importTable().split('\n')
    const named = lines.flatMap((line) => Array.from(line.split(' | ')[0]!.matchAll(/`(.+?)`/g), ([, name]) => name!))
    assert.deepEqual(named.toSorted(), PARTS.map((part) => part.replace(/\.ts$/, '')).toSorted())
    assert.ok(lines.includes('| `streams` | `wire` |'))
    assert.ok(lines.some((line) => line.includes('+ `frontends/kad`')))
  })
})

describe('the reader of imports', () => {
  it('finds them in every form', () => {
    const source = `
      import a, { type B } from '../peer/ip.ts'
      import type { C } from './one.ts'
      import { type D } from './two.ts'
      import './three.ts'
      export {
        f,
      } from './four.ts'
      export type * from './five.ts'
      const g = await import('./six.ts')
      import { h } from 'node:fs'
      type I = import('./seven.ts').I`
    assert.deepEqual(
      importsOf('policy/x.ts', source)
        .map(({ to }) => to)
        .sort(),
      [
        'peer/ip.ts',
        'policy/five.ts',
        'policy/four.ts',
        'policy/one.ts',
        'policy/seven.ts',
        'policy/six.ts',
        'policy/three.ts',
        'policy/two.ts',
      ],
    )
  })
})

function importsOf(from: string, source: string): Import[] {
  const statements = source.matchAll(/^\s*(?:import|export)\b[^'"`;()]*?['"](\.[^'"]+)['"]/gm)
  const calls = source.matchAll(/\bimport\(\s*['"](\.[^'"]+)['"]/g)
  return [...statements, ...calls].map(([, path]) => ({ from, to: normalize(join(dirname(from), path!)) }))
}

function isTooLong(source: string): boolean {
  const lines = source.trimEnd().split('\n').length
  const [firstComment = ''] = source.match(/\/\*[\s\S]*?\*\/|^[ \t]*\/\/.*(?:\n[ \t]*\/\/.*)*/m) ?? []
  return lines > MOST_LINES || (lines > FEW_LINES && !/\bbecause\b/.test(firstComment))
}

function textOf({ from, to }: Import): string {
  return `${from} → ${to}`
}

function findCircle(edges: readonly Import[]): string[] | undefined {
  const targets = Map.groupBy(edges, ({ from }) => from)
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file]
    }
    if (done.has(file)) {
      return undefined
    }
    for (const { to } of targets.get(file) ?? []) {
      const circle = walk(to, [...path, file])
      if (circle !== undefined) {
        return circle
      }
    }
    done.add(file)
    return undefined
  }
  return [...targets.keys()].map((file) => walk(file, [])).find((circle) => circle !== undefined)
}
