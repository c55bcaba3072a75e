import { constants } from 'node:fs'
import { access, chmod, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Creates a folder that only this user can enter, and missing folders above it with the umask's mode. A folder that exists
 * stays as it is. Rejects with the system's error.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  const made = await makeFolders(folder, 0o700)
  if (made.includes(folder)) {
    await chmod(folder, 0o700)
  }
  // A power cut loses a new name, with everything below it, until the folder that it is in is flushed.
  for (const each of made) {
    await flushFolder(dirname(each))
  }
}

/** Returns the folders that it created, topmost first. mkdir's own `recursive` never returns for a folder below /proc. */
async function makeFolders(folder: string, mode = 0o777): Promise<string[]> {
  const above = dirname(folder)
  const made = above === folder || (await isThere(above)) ? [] : await makeFolders(above)
  try {
    await mkdir(folder, { mode })
    return [...made, folder]
  } catch (error) {
    // Another process may have been first.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(folder)).isDirectory()) {
      return made
    }
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** Makes the names in a folder survive a power cut. Rejects with the system's error. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
