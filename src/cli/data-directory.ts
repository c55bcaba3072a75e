import { access, constants, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { makePrivateFolder } from '../identity/private-folder.ts'
import type { ResolvedConfig } from './config/sources.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/**
 * Makes the data directory where one is named and does not exist, and checks that this user can write to it. Throws a
 * {@link CommandError}. Without a name the files are in the working directory, and there is nothing to make.
 */
export async function prepareDataDirectory({ config, origins }: ResolvedConfig): Promise<void> {
  if (origins.dataDir === 'default') {
    return
  }
  const directory = resolve(config.dataDir)
  try {
    await makePrivateFolder(directory)
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    const isOther = await stat(directory).then(
      (found) => !found.isDirectory(),
      () => false,
    )
    const fault = isOther ? 'it is not a directory' : `${FAULTS[code] ?? (error as Error).message} (${code})`
    throw new CommandError(
      EXIT.store,
      `can't use the data directory ${directory} (from ${origins.dataDir}): ${fault}; ` +
        'name a directory that this user can write to: --data-dir <dir>',
      { cause: error },
    )
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not make it or write to it',
  EPERM: 'this user may not make it or write to it',
  ENOENT: "it can't be made there; a symbolic link in its path may lead nowhere",
  ENOTDIR: 'something above it is not a directory',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
}
