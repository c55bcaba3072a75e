import assert from 'node:assert/strict'
import { it } from 'node:test'
import { editReport } from '../../../src/cli/commands/list-edit.ts'
import type { ListEdit } from '../../../src/store/store.ts'

const NONE = { count: 0, named: [] }
const ANEW = 'correct the file, or delete it and send SIGHUP to have it written anew'
const NAMED = [
  { line: 3, reason: 'it has no address' },
  { line: 9, reason: 'its address has no IP' },
]

const cases: Array<[what: string, edit: ListEdit, level: string, fields: object, message: string]> = [
  ['none', { outcome: 'unchanged' }, 'info', {}, 'p.json was not edited since it was last read or written'],
  ['no file', { outcome: 'missing' }, 'info', {}, 'there is no p.json: it is written anew'],
  [
    'one that was taken',
    { outcome: 'taken', added: 2, removed: 1, expired: 0, kept: 0, useless: NONE },
    'info',
    { added: 2, removed: 1 },
    'merged the edited list',
  ],
  [
    'one with entries of no use',
    { outcome: 'taken', added: 0, removed: 0, expired: 4, kept: 7, useless: { count: 14, named: NAMED } },
    'warn',
    {
      added: 0,
      removed: 0,
      expired: 4,
      kept: 7,
      useless: ['line 3: it has no address', 'line 9: its address has no IP', 'and 12 more'],
    },
    'merged the edited list',
  ],
  [
    'one that does not parse',
    { outcome: 'unreadable', reason: 'Unexpected \u001b[2J (line 2 column 1)' },
    'error',
    {},
    `did not merge p.json: Unexpected \\u{1b}[2J (line 2 column 1). What is registered stays, and the file is not overwritten: ${ANEW}`,
  ],
  [
    'one that was found and leaves out too many',
    { outcome: 'refused', dropped: 97, of: 100, confirmIn: undefined },
    'warn',
    { dropped: 97, of: 100 },
    'did not merge p.json: it leaves out 97 of 100 registrations. They stay, and the file is not overwritten. ' +
      `To drop them, send SIGHUP, and again 5 to 60 s later, or start with --accept-list. To keep them, ${ANEW}`,
  ],
  [
    'one that was signalled and leaves out too many',
    { outcome: 'refused', dropped: 97, of: 100, confirmIn: 3001 },
    'warn',
    { dropped: 97, of: 100 },
    'did not merge p.json: it leaves out 97 of 100 registrations. They stay, and the file is not overwritten. ' +
      `To drop them, send SIGHUP again in 4 s or later, but within a minute, or start with --accept-list. To keep them, ${ANEW}`,
  ],
]

for (const [what, edit, level, fields, message] of cases) {
  it(`the log says of an edit: ${what}`, () => {
    assert.deepEqual(editReport(edit, 'p.json'), { level, fields, message })
  })
}
