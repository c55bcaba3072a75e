import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * An empty folder that is gone after the test. `scope` is the test's context; at the top of a file, `{ after }` of
 * `node:test`. Not in a hook: what is registered there runs when the hook ends.
 */
export async function temporaryFolder(scope: { after(remove: () => Promise<void>): void }): Promise<string> {
  const folder = await newFolder()
  // Again where it is not empty: a process of the test may write on until it is killed, which comes later.
  scope.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}

/** An empty folder that its user removes. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'bootstrap-peer-'))
}
