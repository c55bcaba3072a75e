import { CommandError, EXIT } from '../exit-codes.ts'

/** Describes why a node did not start, in one line that says what to do; returns the error itself when it is a bug. */
export function startFailure(error: unknown, peers: string): unknown {
  const chain = causes(error)
  const text = chain.map(({ message }) => message).join('\n')

  const [, listenCode, address] = LISTEN.exec(text) ?? []
  if (listenCode !== undefined) {
    const where = address === undefined ? '' : ` on ${address}`
    const message = `can't listen${where}: ${LISTEN_FAULTS[listenCode]} (${listenCode})`
    return new CommandError(EXIT.listen, message, { cause: error })
  }
  if (chain.some(({ name }) => name === 'UnsupportedListenAddressesError')) {
    return new CommandError(EXIT.listen, `can't listen: ${firstLine(text)}`, { cause: error })
  }
  if (chain.some(({ name }) => name === 'StoreLockedError' || name === 'StoreUnusableError')) {
    return new CommandError(EXIT.store, firstLine(text), { cause: error })
  }
  const code = chain.map((one) => String((one as NodeJS.ErrnoException).code)).find((one) => /^E[A-Z0-9]+$/.test(one))
  if (code !== undefined) {
    const advice = STORE_FAULTS[code] ?? 'see that this user can read and write there, or name another: --file <file>'
    return new CommandError(EXIT.store, `can't use ${peers}: ${firstLine(text)}; ${advice}`, { cause: error })
  }
  return error
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has this port; stop it, or choose another: --port 4001',
  EACCES: 'this user may not use this port; choose one above 1023: --port 4000',
  EADDRNOTAVAIL: 'this machine has no such address; for all it has: --listen /ip4/0.0.0.0/tcp/4000',
}

const STORE_FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room, or name a file on another: --file <file>',
  EDQUOT: 'the quota of this user is used up: make room, or name a file on another disk: --file <file>',
  EROFS: 'the disk is read-only: mount it for writing, or name a file on another: --file <file>',
}

/** libp2p keeps only the text of the system's error: `listen EADDRINUSE: address already in use 0.0.0.0:4000`. */
const LISTEN = new RegExp(`listen (${Object.keys(LISTEN_FAULTS).join('|')}): [a-z ]+ ?(\\S+:\\d+)?`)

/** The error and its causes, outermost first; bounded, as causes may form a circle. */
function causes(error: unknown): Error[] {
  const chain: Error[] = []
  for (let next = error; next instanceof Error && chain.length < 8; next = next.cause) {
    chain.push(next)
  }
  return chain
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
