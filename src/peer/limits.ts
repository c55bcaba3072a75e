/**
 * Numbers that several parts share, each once. Sizes in bytes, durations in ms. A number of one part only is in that
 * part.
 */

/** The name of a network, UTF-8. A namespace of the libp2p rendezvous specification has the same. */
export const MAX_NETWORK_BYTES = 255
/** Addresses of a request, of a peer in one network, and of a peer in an answer. CometBFT has 1, the rendezvous specification 16. */
export const MAX_ADDRESSES = 8
/** Of a registration that names none: the rendezvous specification's default. */
export const DEFAULT_TTL_MS = 7_200_000
/** Shorter ones would cost more renewals than they are worth; the longest is the specification's 72 h. */
export const MIN_TTL_MS = 60_000
export const MAX_TTL_MS = 259_200_000
/** A signed envelope. One of 16 addresses and an RSA key of 4096 bits has 2 KiB. */
export const MAX_ENVELOPE_BYTES = 4096
/** Peers of an answer: when the request does not say, and at most. The rendezvous specification has the same maximum. */
export const DEFAULT_LIMIT = 250
export const MAX_LIMIT = 1000
/** An answer: when the request sets no limit, and ever. */
export const DEFAULT_ANSWER_BYTES = 60 * 1024
export const MAX_ANSWER_BYTES = 512 * 1024
/** Requests of one stream, in each protocol. A client that joins needs two or three. */
export const MAX_REQUESTS = 16
/** Other bootstraps of the same operator, in a configuration and in an answer. */
export const MAX_SIBLINGS = 8

/** Registrations over all networks: at under a kilobyte each, a small machine carries them. */
export const MAX_PEERS = 250_000
/** Peers of one network, so that none shuts out the others. */
export const MAX_PEERS_PER_NETWORK = 200_000
export const MAX_NETWORKS = 1000
/** Connections at a time. About 100 KB each, so 400 MB when full. */
export const MAX_CONNECTIONS = 4000
/** Scales the intervals between the dial-backs of a listed address, 5 to 18 minutes. A dial-back counts for 4/3 of it: 20 minutes. */
export const REPROVE_INTERVAL_MS = 15 * 60_000
/** Of dial-backs. Half a core is some 330 dial-backs a second, enough for 300,000 registrations. */
export const PROOF_CPU_PERCENT = 50
