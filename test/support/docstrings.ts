import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

/** A member of an interface or of a list, with what its docstring says, in one line. */
export interface Documented {
  readonly name: string
  /** As the code has it, without `readonly`; `''` in a list. */
  readonly type: string
  readonly help: string
}

/** The members of an interface in a source file. Throws when one has no docstring. */
export function membersOf(file: string, name: string): Documented[] {
  const body = bodyOf(file, new RegExp(`export interface ${name}\\b[^{]*\\{\n(.*?)\n\\}`, 's'))
  return documented(body, /^ {2}(?:readonly )?(\w+)\??: ([^\n]+)$/, `${file}: ${name}`)
}

/** The texts of an array of strings in a source file, one a line. Throws when one has no docstring. */
export function itemsOf(file: string, name: string): Documented[] {
  const body = bodyOf(file, new RegExp(`export const ${name} = \\[\n(.*?)\n\\] as const`, 's'))
  return documented(body, /^ {2}'(\w+)'(),$/, `${file}: ${name}`)
}

function bodyOf(file: string, pattern: RegExp): string {
  const body = pattern.exec(readFileSync(new URL(file, ROOT), 'utf8'))?.[1]
  assert.ok(body !== undefined, `${file} has nothing like ${pattern}`)
  return body
}

function documented(body: string, member: RegExp, where: string): Documented[] {
  const found: Documented[] = []
  let docstring: string[] = []
  for (const line of body.split('\n')) {
    const [, name, type] = member.exec(line) ?? []
    if (name === undefined) {
      docstring.push(line)
      continue
    }
    const [, help] = /^\s*\/\*\*(.*)\*\/\s*$/s.exec(docstring.join('\n')) ?? []
    assert.ok(help !== undefined, `${where} has no docstring for ${name}`)
    found.push({ name, type: type!.replaceAll('readonly ', ''), help: help.replaceAll(/\s*\n\s*\*\s?/g, ' ').trim() })
    docstring = []
  }
  assert.ok(found.length > 0 && docstring.join('').trim() === '', `${where} has lines that are not read: ${docstring}`)
  return found
}
