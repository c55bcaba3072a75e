// Package bootstrap is go-libp2p's discovery.Discovery over /bootstrap/1.0.0: a host registers with bootstraps, which dial
// it back, and is told of peers that they dialled back a short time ago. A namespace is a network of the protocol.
//
// # Use
//
// A [Discovery] does what it is called for. When to call again is the business of go-libp2p's helpers, and these fit:
//
//   - dutil.Advertise (p2p/discovery/util) keeps a host registered.
//   - backoff.NewBackoffDiscovery with [NewBackoff] asks the bootstraps again after 0.5, 1, 2, 4 … s, up to 5 minutes,
//     however often FindPeers is called. Nodes that start together are each told of nobody at first.
//   - backoff.NewBackoffConnector dials what comes out of it.
//
// The package's example has all three. Call FindPeers for as long as the host has fewer peers than it wants.
//
// Always pass discovery.Limit to a BackoffDiscovery. Without a limit go-libp2p v0.51 hands out nothing of a fresh answer,
// only of a remembered one.
//
// With pubsub, a topic is a namespace:
//
//	paced, err := backoff.NewBackoffDiscovery(d, bootstrap.NewBackoff)
//	ps, err := pubsub.NewGossipSub(ctx, h, pubsub.WithDiscovery(paced, pubsub.WithDiscoveryOpts(discovery.Limit(32))))
//
// # Several bootstraps
//
// They are asked side by side. Pass bootstraps of different operators: a bootstrap cannot make up a peer that answers with
// a PeerId of its choice, but it can leave peers out. What one of them names is taken from the others, too, and with a
// limit none has more than its share before all have answered or failed.
package bootstrap
