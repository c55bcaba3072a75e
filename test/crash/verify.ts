import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { steadyClock } from '../../src/base/clock.ts'
import { fileStore } from '../../src/store/file/file-store.ts'
import { newFolder } from '../support/temporary-folder.ts'

/** Which of the keys a start on a copy of the folder does not bring back. */
export async function lostOf(folder: string, keys: ReadonlySet<string>): Promise<string[]> {
  const copy = await newFolder()
  try {
    await cp(folder, copy, { recursive: true })
    const store = fileStore({ path: join(copy, 'peers.json'), clock: steadyClock() })
    const { records } = await store.open()
    await store.close()
    const there = new Set(records.map(({ peerId, address, network }) => `${peerId} ${address} ${network}`))
    return [...keys].filter((key) => !there.has(key))
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
