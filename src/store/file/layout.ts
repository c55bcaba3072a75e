import { basename, dirname, join, resolve } from 'node:path'
import { StoreUnusableError } from '../store.ts'
import { errorCode, type FileSystem } from './file-system.ts'

/** The files of one store. All lie beside `peers.json`, so that a rename never crosses a file system. */
export interface Layout {
  readonly directory: string
  /** `peers.json`: the last snapshot. */
  readonly peers: string
  /** The snapshot before it. */
  readonly backup: string
  /** A snapshot being written. */
  readonly draft: string
  /** The last snapshot's second name while it becomes the backup. */
  readonly backupDraft: string
  readonly lock: string
  journal(generation: number): string
  /** Where a list that does not parse is set aside. */
  corrupt(time: number): string
  /** The generations of the journals among the names of the directory, oldest first. */
  journalsIn(names: readonly string[]): number[]
  /** The lists set aside among the names of the directory, oldest first. */
  corruptIn(names: readonly string[]): string[]
}

/** A symbolic link to `peers.json` stays one: the files lie beside the file that it names. */
export async function layoutOf(fs: FileSystem, path: string): Promise<Layout> {
  const peers = await targetOf(fs, resolve(path))
  const directory = dirname(peers)
  const name = basename(peers)
  const corruptPrefix = `${name}.corrupt-`
  return {
    directory,
    peers,
    backup: `${peers}.bak`,
    draft: `${peers}.tmp`,
    backupDraft: `${peers}.bak.tmp`,
    lock: `${peers}.lock`,
    journal: (generation) => `${peers}.journal-${String(generation).padStart(GENERATION_DIGITS, '0')}`,
    corrupt: (time) => `${peers}.corrupt-${new Date(time).toISOString().replaceAll(/[-:.]/g, '')}`,
    journalsIn: (names) =>
      journalsOf(name, names)
        .map(({ generation }) => generation)
        .sort((a, b) => a - b),
    corruptIn: (names) =>
      names
        .filter((entry) => entry.startsWith(corruptPrefix))
        .sort()
        .map((entry) => join(directory, entry)),
  }
}

/** The journals of a list among the names of its directory. */
function journalsOf(name: string, names: readonly string[]) {
  const prefix = `${name}.journal-`
  return names
    .filter((entry) => entry.startsWith(prefix) && GENERATION.test(entry.slice(prefix.length)))
    .map((entry) => ({ entry, generation: Number(entry.slice(prefix.length)) }))
}

/** A list that was replaced by a link has left its journals, with registrations that were answered, beside the link. */
async function refuseJournals(fs: FileSystem, link: string): Promise<void> {
  const [journal] = journalsOf(basename(link), await fs.readdir(dirname(link)))
  if (journal !== undefined) {
    const path = join(dirname(link), journal.entry)
    const advice = 'put the list itself there, or move all that is named so beside the list that it leads to'
    throw new StoreUnusableError(
      `${link} is a symbolic link, but ${path} and maybe more lie beside the link: ${advice}`,
    )
  }
}

const GENERATION_DIGITS = 10
/** As it is written: a name that is not is no journal of ours. */
const GENERATION = /^(\d{10}|[1-9]\d{10,14})$/
/** As many as Linux follows. */
const MAX_LINKS = 40

async function targetOf(fs: FileSystem, path: string): Promise<string> {
  let target = path
  for (let links = 0; links < MAX_LINKS; links++) {
    await fs.mkdir(dirname(target))
    target = join(await fs.realpath(dirname(target)), basename(target))
    try {
      const next = resolve(dirname(target), await fs.readlink(target))
      await refuseJournals(fs, target)
      target = next
    } catch (error) {
      // EINVAL: it is no link. ENOENT: there is nothing yet.
      if (errorCode(error) === 'EINVAL' || errorCode(error) === 'ENOENT') {
        return target
      }
      throw error
    }
  }
  throw new StoreUnusableError(`${path} is a symbolic link that leads back to itself`)
}
