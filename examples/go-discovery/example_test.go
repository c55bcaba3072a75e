package bootstrap_test

import (
	"context"
	"log"
	"time"

	bootstrap "bootstrap-peer/discovery"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/backoff"
	dutil "github.com/libp2p/go-libp2p/p2p/discovery/util"
)

func Example() {
	h, err := libp2p.New()
	if err != nil {
		log.Fatal(err)
	}
	info, err := peer.AddrInfoFromString("/ip4/203.0.113.7/tcp/4000/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5")
	if err != nil {
		log.Fatal(err)
	}
	if err := join(context.Background(), h, []peer.AddrInfo{*info}, "mychain"); err != nil {
		log.Fatal(err)
	}
}

// join keeps h registered in the network, and connected to some of its peers, until ctx ends.
func join(ctx context.Context, h host.Host, bootstraps []peer.AddrInfo, network string) error {
	const target = 8
	d, err := bootstrap.New(h, bootstraps)
	if err != nil {
		return err
	}
	paced, err := backoff.NewBackoffDiscovery(d, bootstrap.NewBackoff)
	if err != nil {
		return err
	}
	connector, err := backoff.NewBackoffConnector(h, 256, 15*time.Second, bootstrap.NewBackoff)
	if err != nil {
		return err
	}
	dutil.Advertise(ctx, paced, network)
	for ctx.Err() == nil {
		if len(h.Network().Peers()) < target {
			found, err := paced.FindPeers(ctx, network, discovery.Limit(target))
			if err != nil {
				return err
			}
			connector.Connect(ctx, found)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ctx.Err()
}
