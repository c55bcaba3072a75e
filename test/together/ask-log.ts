import { readFile } from 'node:fs/promises'

const MINUTE = 60_000

/** What the peers of a bootstrap asked of it, each in the first minute after its first request. */
export interface FirstMinutes {
  /** How many peers there are. */
  readonly peers: number
  /** Requests for peers, of each. */
  readonly asks: readonly number[]
  /** All requests of each, those that only register counted. */
  readonly requests: readonly number[]
}

/** Reads what `count-asks.ts` wrote. */
export async function firstMinutes(path: string): Promise<FirstMinutes> {
  const byPeer = new Map<string, { began: number; requests: number; noList: number }>()
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [at, what, peer = ''] = line.split(' ')
    if (peer === '') {
      continue
    }
    const peerCounts = byPeer.get(peer) ?? { began: Number(at), requests: 0, noList: 0 }
    byPeer.set(peer, peerCounts)
    if (Number(at) - peerCounts.began < MINUTE) {
      peerCounts[what === 'request' ? 'requests' : 'noList']++
    }
  }
  const all = [...byPeer.values()]
  return {
    peers: all.length,
    asks: all.map(({ requests, noList }) => requests - noList),
    requests: all.map(({ requests }) => requests),
  }
}
