package bootstrap_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	bootstrap "bootstrap-peer/discovery"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	ma "github.com/multiformats/go-multiaddr"
)

func TestAdvertiseRegistersThePortAndComesAgainAtHalfOfTheTTL(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any { return listed(600) })
	h := newHost(t)

	next, err := newDiscovery(t, h, b).Advertise(t.Context(), "chain", discovery.TTL(10*time.Minute))
	if err != nil || next != 5*time.Minute {
		t.Fatalf("next in %v, %v", next, err)
	}
	port, _ := h.Addrs()[0].ValueForProtocol(ma.P_TCP)
	requests, _ := b.seen()
	want := map[string]any{
		"addresses": []any{":" + port}, "network": "chain", "ttl": 600.0, "limit": 0.0, "explain": true,
	}
	if !reflect.DeepEqual(requests, []map[string]any{want}) {
		t.Fatalf("it asked %v, not %v", requests, want)
	}
}

func TestAdvertiseTriesAgainWhileNoBootstrapAnswers(t *testing.T) {
	b := newFake(t, func(n int, _ map[string]any) any {
		if n < 2 {
			return nil
		}
		return listed(7200)
	})
	next, err := newDiscovery(t, newHost(t), b).Advertise(t.Context(), "chain")
	if err != nil || next != time.Hour {
		t.Fatalf("next in %v, %v", next, err)
	}
	_, times := b.seen()
	if len(times) != 3 || times[1].Sub(times[0]) < 400*time.Millisecond || times[2].Sub(times[1]) < 800*time.Millisecond {
		t.Fatalf("it asked at %v", times)
	}
}

func TestAdvertiseSucceedsWithOneBootstrapAndComesAgainSoonForTheOther(t *testing.T) {
	alive := newFake(t, func(int, map[string]any) any { return listed(7200) })
	dead := newHost(t)
	d := newDiscovery(t, newHost(t), alive, dead)
	_ = dead.Close()

	next, err := d.Advertise(t.Context(), "chain")
	if err != nil || next < 400*time.Millisecond || next > 600*time.Millisecond {
		t.Fatalf("next in %v, %v", next, err)
	}
	next, err = d.Advertise(t.Context(), "chain")
	if err != nil || next < 800*time.Millisecond || next > 1200*time.Millisecond {
		t.Fatalf("then next in %v, %v", next, err)
	}
}

func TestAdvertiseComesAgainSoonWhenTheDialBackIsPending(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any {
		return map[string]any{"registrations": []any{map[string]any{"status": "pending", "expiresIn": 7200}}}
	})
	next, err := newDiscovery(t, newHost(t), b).Advertise(t.Context(), "chain")
	if err != nil || next > 600*time.Millisecond {
		t.Fatalf("next in %v, %v", next, err)
	}
}

func TestAdvertiseReturnsARefusalAtOnce(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any { return refused("dial_timeout") })
	next, err := newDiscovery(t, newHost(t), b).Advertise(t.Context(), "chain")
	var refusal *bootstrap.Error
	if !errors.As(err, &refusal) || refusal.Code != "dial_timeout" || refusal.Bootstrap != b.ID() || next == 0 {
		t.Fatalf("next in %v, %v", next, err)
	}
	if requests, _ := b.seen(); len(requests) != 1 {
		t.Fatalf("it asked %d times", len(requests))
	}
}

func TestRetryAfterIsObeyedByAllCalls(t *testing.T) {
	b := newFake(t, func(n int, _ map[string]any) any {
		if n == 0 {
			return rateLimited(1.5)
		}
		return listed(7200)
	})
	d := newDiscovery(t, newHost(t), b)
	for range 2 {
		for found := range find(t, d) {
			t.Errorf("it found %v", found)
		}
	}
	if _, err := d.Advertise(t.Context(), "chain"); err != nil {
		t.Fatal(err)
	}
	if _, times := b.seen(); len(times) != 2 || times[1].Sub(times[0]) < 1500*time.Millisecond {
		t.Fatalf("it asked at %v", times)
	}
}

func TestAdvertiseEndsWithItsContext(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := newDiscovery(t, newHost(t), b).Advertise(ctx, "chain")
	if err == nil || time.Since(start) > 5*time.Second {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
}

func TestAHostThatDoesNotListenHasNothingToAdvertise(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any { return listed(7200) })
	h := newHost(t, libp2p.NoListenAddrs)
	if _, err := newDiscovery(t, h, b).Advertise(t.Context(), "chain"); !errors.Is(err, bootstrap.ErrNotListening) {
		t.Fatal(err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{
		"not JSON":   "hello\n",
		"an array":   "[]\n",
		"endless":    "{\"peers\":[" + strings.Repeat(" ", 600<<10),
		"empty":      "",
		"wrong type": "{\"peers\":7}\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := newFake(t, func(int, map[string]any) any { return answer })
			for found := range find(t, newDiscovery(t, newHost(t), b)) {
				t.Errorf("it found %v", found)
			}
		})
	}
}

func TestTheConnectionEndsWithTheExchangeUnlessItWasThereBefore(t *testing.T) {
	b := newFake(t, func(int, map[string]any) any { return listed(7200) })
	h := newHost(t)
	d := newDiscovery(t, h, b)
	if _, err := d.Advertise(t.Context(), "chain"); err != nil || h.Network().Connectedness(b.ID()) == network.Connected {
		t.Fatalf("still connected, %v", err)
	}
	if err := h.Connect(t.Context(), infoOf(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Advertise(t.Context(), "chain"); err != nil || h.Network().Connectedness(b.ID()) != network.Connected {
		t.Fatalf("hung up, %v", err)
	}
}

func TestNewWantsBootstrapsWithAddresses(t *testing.T) {
	h := newHost(t)
	for _, bootstraps := range [][]peer.AddrInfo{nil, {{ID: h.ID()}}, {{Addrs: h.Addrs()}}} {
		if _, err := bootstrap.New(h, bootstraps); err == nil {
			t.Errorf("it takes %v", bootstraps)
		}
	}
}

func find(t *testing.T, d discovery.Discoverer, options ...discovery.Option) <-chan peer.AddrInfo {
	t.Helper()
	found, err := d.FindPeers(t.Context(), "chain", options...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
