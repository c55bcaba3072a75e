import type { Language } from './toolchains.ts'

/** What reads and writes records in one way of its own. */
export type Stack = 'javascript' | Extract<Language, 'go' | 'rust'>

export const STACKS: Readonly<Record<Stack, string>> = { javascript: 'JavaScript', go: 'Go', rust: 'Rust' }

/** A way in which a peer registers. */
export interface Registering {
  readonly stack: Stack
  /** `identify`: through `/bootstrap/1.0.0`, with a signed record in identify where the stack has none by itself. */
  readonly by: 'bootstrap' | 'identify' | 'rendezvous'
  /** By what, in the words of the table. */
  readonly what: string
}

export const REGISTERING: readonly Registering[] = [
  { stack: 'javascript', by: 'bootstrap', what: '`/bootstrap/1.0.0`' },
  { stack: 'javascript', by: 'rendezvous', what: '`RendezvousClient` of this package' },
  { stack: 'go', by: 'bootstrap', what: '`/bootstrap/1.0.0`' },
  { stack: 'go', by: 'rendezvous', what: 'waku-org/go-libp2p-rendezvous' },
  { stack: 'rust', by: 'bootstrap', what: '`/bootstrap/1.0.0`' },
  { stack: 'rust', by: 'identify', what: '`/bootstrap/1.0.0`, with `identify::Config::new_with_signed_peer_record`' },
  { stack: 'rust', by: 'rendezvous', what: 'libp2p-rendezvous' },
]

/** Why one does not see the other. */
export interface Upstream {
  /** As GitHub writes it. */
  readonly issue: string
  readonly why: string
}

export const UPSTREAM = {
  reading: {
    issue: 'libp2p/rust-libp2p#6384',
    why: "rust-libp2p's rendezvous reads records in a form of its own only (open pull request)",
  },
  signing: {
    issue: 'libp2p/rust-libp2p#6204',
    why: 'its rendezvous and its identify sign in that form only (closed: the standard form is a function that neither calls)',
  },
  optIn: {
    issue: 'libp2p/rust-libp2p#4017',
    why: 'its identify shows a signed record only when the program asks for it (closed by #5785, as an option)',
  },
} as const satisfies Record<string, Upstream>

/** Whether the rendezvous client of a stack is handed a peer that registered so; if not, why. */
export function sees(asker: Stack, { stack, by }: Registering): true | Upstream {
  if ((asker === 'rust') !== (stack === 'rust')) {
    return asker === 'rust' ? UPSTREAM.reading : UPSTREAM.signing
  }
  return stack === 'rust' && by === 'bootstrap' ? UPSTREAM.optIn : true
}
