import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { COMMANDS } from '../../src/cli/commands.ts'
import { commandHelp, overview } from '../../src/cli/help.ts'

const ROOT = new URL('../../', import.meta.url)
const REMAINING = new URL('words-remaining.json', import.meta.url)

/** What is refused in code, comments, messages, help and documents, and what to write in its place. */
const REFUSED: ReadonlyArray<readonly [word: string, pattern: RegExp, instead: string]> = [
  ['nobody', /\bnobody\b/gi, 'name the peer, the client or the operator: "no peer", "no client"'],
  ['somebody', /\bsomebody\b/gi, 'name the peer, the client or the operator'],
  ['whoever', /\bwhoever\b/gi, 'name the peer, the client or the operator: "the client that"'],
  ['whom', /\bwhom\b/gi, 'name the peer: "the peers that it dials"'],
  ['mend', /\bmend(s|ed|ing|able)?\b/gi, 'repair, fix, correct'],
  ['in vain', /\bin vain\b/gi, 'without success'],
  ['be it', /\bbe it\b/gi, 'whether'],
  ['so many ms', /\bso many (ms|milliseconds|seconds|s)\b/gi, 'a parameter: "after `delay` ms"'],
  ['lever', /\blevers?\b|unlevered/gi, 'optimization'],
  ['unprotected', /unprotected/gi, 'disable.protections'],
  ['notice', /\bnotices?\b|onNotice/gi, 'warning; as a verb: detect, see'],
  ['canary', /\bcanar(y|ies)\b/gi, 'decoy'],
  ['Handout', /handout/gi, 'AnswerView; answer'],
  ['Moment', /\bMoment\b/g, 'Freshness'],
  ['Seat', /\bseat(s|ed)?\b/gi, 'slot'],
  ['patience', /patience/gi, 'deadline'],
  ['ripe', /\bripe\b/gi, 'established'],
  ['lone root', /\blone root\b/gi, 'sole origin'],
]

/** Where a refused word is right. */
const EXCEPTIONS: ReadonlyArray<readonly [file: string, word: string, reason: string]> = [
  ['docs/rendezvous.md', 'whom', 'the heading that interop/who-sees-whom.ts is named for, and links lead to'],
  ['CHANGELOG.md', 'lever', 'names the option that was renamed'],
  ['CHANGELOG.md', 'unprotected', 'names the option that was renamed'],
  ['CHANGELOG.md', 'notice', 'names the event that was renamed'],
]

/** Files that are not rewritten yet, and how many refused words each still has. Numbers only fall. */
const remaining: Readonly<Record<string, number>> = JSON.parse(readFileSync(REMAINING, 'utf8'))

const FILES = globSync(['src/**/*.ts', 'docs/**/*.{md,svg}', '*.md', 'test/README.md', 'examples/*/README.md'], {
  cwd: ROOT.pathname,
}).sort()

describe('the words of the project', () => {
  const found = new Map(FILES.map((file) => [file, refusedIn(file, readFileSync(new URL(file, ROOT), 'utf8'))]))

  it('are plain in every file, or no worse than they were', () => {
    assert.ok(FILES.length > 100)
    if (process.env.UPDATE_DOCS === '1') {
      const rest = FILES.map((file) => [file, Math.min(found.get(file)!.length, remaining[file] ?? 0)] as const)
      writeFileSync(
        REMAINING,
        `${JSON.stringify(Object.fromEntries(rest.filter(([, count]) => count > 0)), null, 2)}\n`,
      )
    }
    const worse = FILES.filter((file) => found.get(file)!.length > (remaining[file] ?? 0))
    assert.deepEqual(
      worse.flatMap((file) => found.get(file)!),
      [],
    )
  })

  it('are plain in the help of every command', () => {
    const texts = [overview(), ...COMMANDS.map(commandHelp)]
    assert.deepEqual(
      texts.flatMap((text) => refusedIn('--help', text)),
      [],
    )
  })

  it('have only exceptions that are needed', () => {
    for (const [file, word] of EXCEPTIONS) {
      const [, pattern] = REFUSED.find(([each]) => each === word)!
      assert.match(readFileSync(new URL(file, ROOT), 'utf8'), new RegExp(pattern.source, 'i'), `${file}: ${word}`)
    }
  })

  it('are looked for as words, in any line', () => {
    assert.deepEqual(refusedIn('x', 'a recommended\namendment, a moment, an elevator, whomever'), [])
    assert.deepEqual(refusedIn('x', 'first\n// Nobody\nconst unleveredNoise = 1'), [
      'x:2: Nobody. Write: name the peer, the client or the operator: "no peer", "no client"',
      'x:3: unlevered. Write: optimization',
    ])
  })
})

function refusedIn(file: string, text: string): string[] {
  const words = REFUSED.filter(([word]) => !EXCEPTIONS.some((each) => each[0] === file && each[1] === word))
  return text
    .split('\n')
    .flatMap((line, n) =>
      words.flatMap(([, pattern, instead]) =>
        Array.from(line.matchAll(pattern), ([match]) => `${file}:${n + 1}: ${match}. Write: ${instead}`),
      ),
    )
}
