import { StallWatch } from './stall-watch.ts'
import { WireCount } from './wire-count.ts'

/** What a measured process has used since it started. */
export interface Usage {
  /** User and system, µs. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
  /** Bytes, with what buffers hold outside of it. */
  readonly heap: number
}

/** What a forked process can be asked. An answer may take its time. */
export type Answers = Readonly<Record<string, () => unknown>>

export interface Question {
  readonly id: number
  readonly question: string
}

/** Tells the process that forked this one that it is ready, and then whatever it asks. */
export function reportToParent(address: string, startMs = 0, more: Answers = {}): void {
  const stalls = new StallWatch()
  const wire = new WireCount()
  const answers: Answers = {
    usage,
    collect,
    watchStalls: () => stalls.restart(),
    stalls: () => stalls.longest,
    countWire: () => wire.start(),
    wire: () => wire.whenClosed(),
    ...more,
  }
  process.on('message', async (message: Question | 'exit') => {
    if (message === 'exit') {
      process.exit(0)
    }
    process.send?.({ id: message.id, answer: await answers[message.question]!() })
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.({ address, startMs })
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { cpu: user + system, rss, heap: heapUsed + external }
}

/** Buffers go with the second round, when what held them went with the first. */
function collect(): Usage {
  globalThis.gc?.()
  globalThis.gc?.()
  return usage()
}
