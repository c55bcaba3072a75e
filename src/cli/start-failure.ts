import { CommandError, EXIT } from './exit-codes.ts'

/** What a node that did not start is about, in one line that can be acted on; the error itself when it is a bug. */
export function startFailure(error: unknown, peers: string): unknown {
  const chain = causes(error)
  const text = chain.map(({ message }) => message).join('\n')

  const [, code, address] = LISTEN.exec(text) ?? []
  if (code !== undefined) {
    const where = address === undefined ? '' : ` on ${address}`
    return new CommandError(EXIT.listen, `can't listen${where}: ${LISTEN_FAULTS[code]} (${code})`, { cause: error })
  }
  if (chain.some(({ name }) => name === 'UnsupportedListenAddressesError')) {
    return new CommandError(EXIT.listen, `can't listen: ${firstLine(text)}`, { cause: error })
  }
  if (chain.some(({ name }) => name === 'StoreLockedError')) {
    return new CommandError(EXIT.store, firstLine(text), { cause: error })
  }
  const ofSystem = chain.find(
    (one): one is NodeJS.ErrnoException => 'code' in one && SYSTEM_CODE.test(String(one.code)),
  )
  if (ofSystem !== undefined) {
    const message = `can't use ${peers}: ${firstLine(text)}; see that this user can write there, or name another: --peers <file>`
    return new CommandError(EXIT.store, message, { cause: error })
  }
  return error
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has this port; stop it, or choose another: --listen /ip4/0.0.0.0/tcp/4001',
  EACCES: 'this user may not use this port; choose one above 1023: --listen /ip4/0.0.0.0/tcp/4000',
  EADDRNOTAVAIL: 'this machine has no such address; for all it has: --listen /ip4/0.0.0.0/tcp/4000',
}

/** libp2p keeps only the text of what the system said, such as `listen EADDRINUSE: address already in use 0.0.0.0:4000`. */
const LISTEN = new RegExp(`listen (${Object.keys(LISTEN_FAULTS).join('|')}): [a-z ]+ ?(\\S+:\\d+)?`)

/** An errno name, or SQLite's, which keeps the lock. */
const SYSTEM_CODE = /^(E[A-Z0-9]+|ERR_SQLITE_ERROR)$/

/** The error and what caused it, outermost first; bounded, as a cause may lead in a circle. */
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
