import { remoteText } from '../../base/remote-text.ts'
import type { ListEdit, RefusedEdit, UselessEntries } from '../../node.ts'

export interface EditReport {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** The result of an edit by hand of the list at `path`, and what to do next, for the log. */
export function editReport(edit: ListEdit, path: string): EditReport {
  switch (edit.outcome) {
    case 'unchanged':
      return { level: 'info', fields: {}, message: `${path} was not edited since it was last read or written` }
    case 'missing':
      return { level: 'info', fields: {}, message: `there is no ${path}: it is written anew` }
    case 'taken': {
      const { added, removed, expired, kept, useless, unserved } = edit
      return {
        level: useless.count === 0 && unserved === undefined ? 'info' : 'warn',
        fields: {
          added,
          removed,
          ...(expired === 0 ? {} : { expired }),
          ...(kept === 0 ? {} : { kept }),
          ...(useless.count === 0 ? {} : { useless: uselessLines(useless) }),
          ...(unserved === undefined ? {} : { unserved: someOf(unserved.count, unserved.named.map(remoteText)) }),
        },
        message: 'merged the edited list',
      }
    }
    case 'unreadable': {
      const fault = `did not merge ${path}: ${remoteText(edit.reason)}`
      const message = `${fault}. What is registered stays, and the file is not overwritten: ${ANEW}`
      return { level: 'error', fields: {}, message }
    }
    case 'refused': {
      const { dropped, of } = edit
      const fault = `did not merge ${path}: it leaves out ${dropped} of ${of} registrations`
      const message = `${fault}. They stay, and the file is not overwritten. To drop them, ${confirmText(edit)}. To keep them, ${ANEW}`
      return { level: 'warn', fields: { dropped, of }, message }
    }
  }
}

const ANEW = 'correct the file, or delete it and send SIGHUP to have it written anew'

function confirmText({ confirmIn }: RefusedEdit): string {
  return confirmIn === undefined
    ? 'send SIGHUP, and again 5 to 60 s later, or start with --accept-list'
    : `send SIGHUP again in ${Math.ceil(confirmIn / 1000)} s or later, but within a minute, or start with --accept-list`
}

function uselessLines({ count, named }: UselessEntries): string[] {
  return someOf(
    count,
    named.map(({ line, reason }) => `line ${line}: ${reason}`),
  )
}

function someOf(count: number, named: readonly string[]): string[] {
  return count === named.length ? [...named] : [...named, `and ${count - named.length} more`]
}
