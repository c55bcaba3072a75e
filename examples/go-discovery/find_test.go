package bootstrap_test

import (
	"sync"
	"testing"
	"time"

	bootstrap "bootstrap-peer/discovery"

	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"
	"github.com/libp2p/go-libp2p/p2p/discovery/backoff"

	ma "github.com/multiformats/go-multiaddr"
)

func TestFindPeersMergesTheAnswers(t *testing.T) {
	h := newHost(t)
	one, two, three := test.RandPeerIDFatal(t), test.RandPeerIDFatal(t), test.RandPeerIDFatal(t)
	var asked sync.WaitGroup
	asked.Add(2)
	together := func(answer any) func(int, map[string]any) any {
		return func(int, map[string]any) any {
			asked.Done()
			asked.Wait()
			return answer
		}
	}
	a := newFake(t, together(peersAt(address(4000, h.ID()), address(4001, one), address(4002, two))))
	b := newFake(t, together(peersAt(address(4003, three), address(4012, two))))

	found := map[peer.ID]int{}
	for info := range find(t, newDiscovery(t, h, a, b)) {
		if _, again := found[info.ID]; again {
			t.Errorf("%s comes twice", info.ID)
		}
		found[info.ID] = len(info.Addrs)
	}
	if len(found) != 3 || found[one] != 1 || found[two] != 2 || found[three] != 1 {
		t.Fatalf("it found %v", found)
	}
	requests, _ := a.seen()
	if request := requests[0]; request["network"] != "chain" || request["addresses"] != nil || request["limit"] != nil {
		t.Fatalf("it asked %v", request)
	}
}

func TestAPeerComesAgainWithTheAddressesOfALateAnswer(t *testing.T) {
	one, handedOut := test.RandPeerIDFatal(t), make(chan struct{})
	a := newFake(t, func(int, map[string]any) any { return peersAt(address(4001, one)) })
	b := newFake(t, func(int, map[string]any) any {
		<-handedOut
		return peersAt(address(4001, one), address(4002, one))
	})
	var found []peer.AddrInfo
	for info := range find(t, newDiscovery(t, newHost(t), a, b)) {
		if found = append(found, info); len(found) == 1 {
			close(handedOut)
		}
	}
	if len(found) != 2 || found[0].Addrs[0].String() != "/ip4/127.0.0.1/tcp/4001" || len(found[1].Addrs) != 1 ||
		found[1].Addrs[0].String() != "/ip4/127.0.0.1/tcp/4002" {
		t.Fatalf("it found %v", found)
	}
}

func TestTheQuickestDoesNotFillTheLimit(t *testing.T) {
	quick, slow, share := many(t, 4000), many(t, 5000), make(chan struct{})
	a := newFake(t, func(int, map[string]any) any { return quick })
	b := newFake(t, func(int, map[string]any) any {
		<-share
		return slow
	})
	ports := map[byte]int{}
	for info := range find(t, newDiscovery(t, newHost(t), a, b), discovery.Limit(8)) {
		port, _ := info.Addrs[0].ValueForProtocol(ma.P_TCP)
		if ports[port[0]]++; ports['4'] == 4 && ports['5'] == 0 {
			close(share)
		}
	}
	if ports['4'] != 4 || ports['5'] != 4 {
		t.Fatalf("it found %v", ports)
	}
}

// many are 20 peers, at ports that begin with the same digit.
func many(t *testing.T, port int) any {
	var addresses []string
	for n := range 20 {
		addresses = append(addresses, address(port+n, test.RandPeerIDFatal(t)))
	}
	return peersAt(addresses...)
}

func TestADeadBootstrapLeavesItsShareToTheOthers(t *testing.T) {
	peers := many(t, 4000)
	a, dead := newFake(t, func(int, map[string]any) any { return peers }), newHost(t)
	d := newDiscovery(t, newHost(t), a, dead)
	_ = dead.Close()
	count := 0
	for range find(t, d, discovery.Limit(8)) {
		count++
	}
	if count != 8 {
		t.Fatalf("it found %d", count)
	}
}

func TestOnlyAddressesThatABootstrapCanHaveProved(t *testing.T) {
	one := test.RandPeerIDFatal(t)
	a := newFake(t, func(int, map[string]any) any {
		return peersAt(
			"/dns4/example.org/tcp/4001/p2p/"+one.String(),
			"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/"+one.String(),
			"/ip4/127.0.0.1/tcp/4001",
			"/ip4/127.0.0.1/tcp/22/p2p/"+one.String(),
			"/ip4/127.0.0.1/tcp/4001/p2p/"+one.String()+"/p2p-circuit",
			"rubbish",
		)
	})
	for found := range find(t, newDiscovery(t, newHost(t), a)) {
		t.Errorf("it found %v", found)
	}
}

// When the second part fails, go-libp2p has changed: take the advice out of the package's documentation.
func TestABackoffDiscoveryHandsOutAFreshAnswerOnlyWithALimit(t *testing.T) {
	one := test.RandPeerIDFatal(t)
	a := newFake(t, func(int, map[string]any) any { return peersAt(address(4001, one)) })
	for limit, want := range map[int]int{8: 1, 0: 0} {
		paced, err := backoff.NewBackoffDiscovery(newDiscovery(t, newHost(t), a), bootstrap.NewBackoff)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for range find(t, paced, discovery.Limit(limit)) {
			count++
		}
		if count != want {
			t.Errorf("limit %d: %d peers", limit, count)
		}
	}
}

func TestABackoffDiscoveryAsksWhenItIsTimeTo(t *testing.T) {
	a := newFake(t, func(int, map[string]any) any { return peersAt() })
	paced, err := backoff.NewBackoffDiscovery(newDiscovery(t, newHost(t), a), bootstrap.NewBackoff)
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 2500*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		for range find(t, paced, discovery.Limit(8)) {
		}
	}
	// At 0, 0.5 and 1.5 s; the next one is at 2.8 s at the earliest. A busy machine may be late with the third.
	if _, times := a.seen(); len(times) < 2 || len(times) > 3 {
		t.Errorf("it asked %d times", len(times))
	}
}
