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
  /** The list as it is now. */
  readonly onFound: (found: ReadonlyMap<string, readonly string[]>) => void
  /** Something could not be read, in one line; what was found of it before stays. */
  readonly onFault: (message: string) => void
}

/** The list of bootstraps, looked up again and again where it may change: a file, a name in the DNS. */
export class BootstrapLookup {
  readonly #init: BootstrapLookupInit
  readonly #stopping = new AbortController()
  readonly #last = new Map<string, readonly string[]>()
  #failures = 0
  #cancelNext = () => {}

  constructor(init: BootstrapLookupInit) {
    this.#init = init
  }

  /** What needs no look-up is found before this returns. Throws a TypeError when that is no list of bootstraps. */
  start(): void {
    const found = staticBootstraps(this.#init.sources.bootstraps ?? [])
    this.#init.onFound(found)
    if (isDynamic(this.#init.sources)) {
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
    const { found, faults } = await resolveBootstraps(sources, resolveTxt, signal)
    if (this.#stopping.signal.aborted) {
      return
    }
    if (faults.length === 0) {
      this.#last.clear()
      this.#failures = 0
    } else {
      this.#failures++
    }
    for (const [id, addresses] of found) {
      this.#last.set(id, addresses)
    }
    onFound(this.#last)
    for (const fault of faults) {
      onFault(fault)
    }
    const pause = this.#failures === 0 ? jittered(interval, JITTER, random) : backOff(this.#failures, BACK_OFF, random)
    this.#cancelNext = scheduler.after(Math.min(pause, interval), () => this.#lookUp())
  }
}
