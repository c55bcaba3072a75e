import { callerAt } from '../../src/peer/caller.ts'
import type { LabInit, LabPeer, World } from './lab.ts'

const MINUTE = 60_000

export interface Census {
  readonly name: string
  /** Answers asked for, and addresses in them. */
  readonly answers: number
  readonly addresses: number
  /** Addresses that a liar registered, seen in an answer. */
  readonly planted: number
  /** The part of the addresses handed out at which the named peer answered at that moment. */
  readonly alive: number
  /** Dials of the node, whatever they were for. */
  readonly dials: number
  /** The longest that a peer had been dead when its address was handed out, ms. */
  readonly longestDead: number
  /** The part of the honest peers alive for over two minutes that was listed, over all samples. */
  readonly recall: number
  /** The most answers in a row in which a peer that was alive all the time did not appear. */
  readonly longestUnseen: number
  /** Lies told, and those of them that were answered with `listed`. */
  readonly lies: number
  readonly believed: number
}

/** One answer a minute goes to an asker from somewhere else, and is held against what is true. */
export function census(world: World): { sample(): void; result(init: LabInit): Census } {
  const { parts, peers, planted, answering, time } = world
  const asker = callerAt('asker', '/ip4/1.1.1.1/tcp/50000')!
  const diedAt = new Map<string, number>()
  const unseen = new Map<string, number>()
  let [answers, addresses, seenPlanted, alive, longestDead, longestUnseen, expected, listed] = [0, 0, 0, 0, 0, 0, 0, 0]
  watchDeaths()

  return { sample, result }

  /** When somebody stops answering is known to the minute at worst; here it is known exactly. */
  function watchDeaths(): void {
    const remove = answering.delete.bind(answering)
    answering.delete = (address) => {
      diedAt.set(`${address} ${answering.get(address)}`, time.now())
      return remove(address)
    }
  }

  function sample(): void {
    const handed = parts.point.listing.for(asker).peers({ network: '', limit: 250 })
    const ids = new Set(handed.map(({ id }) => id))
    answers++
    for (const peer of handed) {
      for (const { address } of parts.point.listing.for(asker).addressesOf(peer)) {
        addresses++
        if (planted.has(`${address}/p2p/${peer.id}`)) {
          seenPlanted++
        }
        if (answering.get(address) === peer.id) {
          alive++
        } else {
          longestDead = Math.max(longestDead, time.now() - (diedAt.get(`${address} ${peer.id}`) ?? 0))
        }
      }
    }
    for (const peer of peers) {
      expect(peer, ids)
    }
  }

  function expect({ id, address, aliveSince }: LabPeer, ids: ReadonlySet<string>): void {
    if (aliveSince === undefined || time.now() - aliveSince <= 2 * MINUTE) {
      unseen.delete(id)
      return
    }
    expected++
    const registration = parts.registry.find({ network: '', peerId: id, address })
    listed += registration?.health === 'reachable' ? 1 : 0
    const missed = ids.has(id) ? 0 : (unseen.get(id) ?? 0) + 1
    unseen.set(id, missed)
    longestUnseen = Math.max(longestUnseen, missed)
  }

  function result({ name }: LabInit): Census {
    return {
      name,
      answers,
      addresses,
      planted: seenPlanted,
      alive: alive / addresses,
      dials: world.dials,
      longestDead,
      recall: listed / expected,
      longestUnseen,
      lies: world.lies,
      believed: world.believed,
    }
  }
}
