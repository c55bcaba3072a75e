package bootstrap_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	bootstrap "bootstrap-peer/discovery"

	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/backoff"

	ma "github.com/multiformats/go-multiaddr"
)

// nodesVariable names running bootstrap-peer nodes, multiaddrs with /p2p between commas. test:interop sets it.
const nodesVariable = "BOOTSTRAP_PEER_TEST_NODES"

func nodes(t *testing.T) []peer.AddrInfo {
	addresses := os.Getenv(nodesVariable)
	if addresses == "" {
		t.Skipf("%s is not set", nodesVariable)
	}
	var infos []peer.AddrInfo
	for _, address := range strings.Split(addresses, ",") {
		info, err := peer.AddrInfoFromString(address)
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, *info)
	}
	return infos
}

func TestHostsThatStartTogetherMeet(t *testing.T) {
	bootstraps := nodes(t)
	for _, count := range []int{2, 6} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			// It takes about a second. This is for a machine that does other things.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			hosts := make([]host.Host, count)
			for n := range hosts {
				hosts[n] = newHost(t)
			}
			start := time.Now()
			for _, h := range hosts {
				go join(ctx, h, bootstraps, t.Name())
			}
			for _, h := range hosts {
				for _, other := range hosts {
					for h != other && h.Network().Connectedness(other.ID()) != network.Connected {
						if ctx.Err() != nil {
							t.Fatalf("%s is not connected to %s", h.ID(), other.ID())
						}
						time.Sleep(10 * time.Millisecond)
					}
				}
			}
			t.Logf("after %v", time.Since(start))
		})
	}
}

func TestARegistrationIsFoundAtEachBootstrap(t *testing.T) {
	bootstraps := nodes(t)
	h, other := newHost(t), newHost(t)
	d, err := bootstrap.New(h, bootstraps)
	if err != nil {
		t.Fatal(err)
	}
	next, err := d.Advertise(t.Context(), t.Name(), discovery.TTL(10*time.Minute))
	if err != nil || next != 5*time.Minute {
		t.Fatalf("next in %v, %v", next, err)
	}
	for _, b := range bootstraps {
		d, err := bootstrap.New(other, []peer.AddrInfo{b})
		if err != nil {
			t.Fatal(err)
		}
		paced, err := backoff.NewBackoffDiscovery(d, bootstrap.NewBackoff)
		if err != nil {
			t.Fatal(err)
		}
		found, err := paced.FindPeers(t.Context(), t.Name(), discovery.Limit(8))
		if err != nil {
			t.Fatal(err)
		}
		info, ok := <-found
		if !ok || info.ID != h.ID() || len(info.Addrs) != 1 || !info.Addrs[0].Equal(h.Addrs()[0]) {
			t.Fatalf("it found %v", info)
		}
	}
}

func TestAHostAtAPrivilegedPortIsToldWhyItIsNotListed(t *testing.T) {
	d, err := bootstrap.New(atPort25{newHost(t)}, nodes(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Advertise(t.Context(), t.Name()); err == nil || !strings.Contains(err.Error(), "port_not_allowed") {
		t.Fatal(err)
	}
}

type atPort25 struct{ host.Host }

func (atPort25) Addrs() []ma.Multiaddr {
	return []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/25")}
}
