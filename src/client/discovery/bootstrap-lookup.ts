// Looks the configured bootstraps up again, where the list can change.

import { backOff, jittered } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../scheduler.ts'
import { BACK_OFF, JITTER } from './ask-schedule.ts'
import { type BootstrapSources, isDynamic, resolveBootstraps, staticBootstraps } from './bootstrap-list.ts'
import type { ResolveTxt } from './dnsaddr.ts'

/** How long looking up the whole list may take, ms. */
const LOOKUP_TIMEOUT_MS = 10_000

export interface BootstrapLookupInit {
  readonly sources: BootstrapSources
  readonly interval: number
  readonly resolveTxt: ResolveTxt
  readonly scheduler: Scheduler
  readonly random: Random
  /** The list as it is now, by PeerId, and what is known of it. */
  readonly onFound: (found: ReadonlyMap<string, readonly string[]>, known: KnownOfList) => void
  /** Something could not be read, in one line; what was found of it before stays. */
  readonly onFault: (message: string) => void
}

export interface KnownOfList {
  /** By PeerId the origin that each has its voice from; one that is missing has its own. */
  readonly origins: ReadonlyMap<string, string>
  /** Whether the look-up is not over yet, has found the whole list, or a part of it had a fault. */
  readonly state: 'looking-up' | 'complete' | 'incomplete'
}

/** The list of bootstraps, looked up again and again where it may change: a file, a name in the DNS. */
export class BootstrapLookup {
  readonly #init: BootstrapLookupInit
  readonly #stopping = new AbortController()
  readonly #last = new Map<string, readonly string[]>()
  readonly #origins = new Map<string, string>()
  #found: ReadonlyMap<string, readonly string[]> = new Map()
  #failures = 0
  #cancelNext = () => {}

  constructor(init: BootstrapLookupInit) {
    this.#init = init
  }

  /** The addresses of all that were found last, multiaddrs. */
  get addresses(): readonly string[] {
    return [...this.#found.values()].flat()
  }

  /** What needs no look-up is found before this returns. Throws a TypeError when that is no list of bootstraps. */
  start(): void {
    const found = staticBootstraps(this.#init.sources.bootstraps ?? [])
    this.#found = found
    const dynamic = isDynamic(this.#init.sources)
    this.#init.onFound(found, { origins: new Map(), state: dynamic ? 'looking-up' : 'complete' })
    if (dynamic) {
      this.#lookUp()
    }
  }

  stop(): void {
    this.#cancelNext()
    this.#stopping.abort()
  }

  async #lookUp(): Promise<void> {
    const { sources, resolveTxt, interval, scheduler, random, onFound, onFault } = this.#init
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)])
    const { found, origins, faults } = await resolveBootstraps(sources, resolveTxt, signal)
    if (this.#stopping.signal.aborted) {
      return
    }
    if (faults.length === 0) {
      this.#last.clear()
      this.#origins.clear()
      this.#failures = 0
    } else {
      this.#failures++
    }
    for (const [id, addresses] of found) {
      this.#last.set(id, addresses)
      this.#origins.set(id, origins.get(id)!)
    }
    this.#found = this.#last
    onFound(this.#last, { origins: this.#origins, state: faults.length === 0 ? 'complete' : 'incomplete' })
    for (const fault of faults) {
      onFault(fault)
    }
    const pause = this.#failures === 0 ? jittered(interval, JITTER, random) : backOff(this.#failures, BACK_OFF, random)
    this.#cancelNext = scheduler.after(Math.min(pause, interval), () => this.#lookUp())
  }
}
