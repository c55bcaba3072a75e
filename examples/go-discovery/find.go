package bootstrap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/peer"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	// maxLimit is the protocol's bound of the peers of an answer; without a limit it has 250 at most.
	maxLimit     = 1000
	defaultLimit = 250
	// settle is how long the first answer waits for the others: what several name comes together, and the quickest does
	// not choose for all.
	settle = 500 * time.Millisecond
)

// FindPeers asks every bootstrap for peers of the network ns, once, and returns at once. The channel is closed when all
// have answered or failed, within 15 s, or when ctx ends; a caller may stop reading it. Failures go to the logger: a channel
// cannot tell them.
//
// discovery.Limit is how many peers it hands out at most; without it, 250 a bootstrap. The host itself is not among them. A
// peer comes again when another bootstrap names further addresses of it. Those are literal IP and TCP; a bootstrap on the
// public internet cannot name addresses of the host's private network.
func (d *Discovery) FindPeers(ctx context.Context, ns string, opts ...discovery.Option) (<-chan peer.AddrInfo, error) {
	var options discovery.Options
	if err := options.Apply(opts...); err != nil {
		return nil, err
	}
	if options.Limit < 0 {
		return nil, fmt.Errorf("bootstrap: the limit is %d", options.Limit)
	}
	req, most := request{Network: ns, Explain: true}, defaultLimit
	if options.Limit > 0 {
		most = min(options.Limit, maxLimit)
		req.Limit = &most
	}
	// One more, for the host's own record.
	most++
	// There is room for all that may come: sending never waits.
	found := make(chan peer.AddrInfo, most*len(d.bootstraps))

	answers := make(chan told, len(d.bootstraps))
	go d.eachBootstrap(func(n int, b *bootstrap) {
		answer, err := b.exchange(ctx, req)
		d.tell(ctx, &b.finding, "no peers from a bootstrap", ns, err)
		if err != nil {
			answers <- told{bootstrap: n}
			return
		}
		peers := usable(answer, d.host.ID())
		answers <- told{n, peers[:min(len(peers), most)]}
	})
	go d.handOut(ctx, newMerge(len(d.bootstraps), options.Limit), answers, found)
	return found, nil
}

// told is what a bootstrap has answered, by its number.
type told struct {
	bootstrap int
	peers     []peer.AddrInfo
}

func (d *Discovery) handOut(ctx context.Context, m *merge, answers <-chan told, found chan<- peer.AddrInfo) {
	defer close(found)
	var settling <-chan time.Time
	settled := false
	for missing := len(d.bootstraps); missing > 0; {
		select {
		case answer := <-answers:
			missing--
			m.add(answer)
			if settling == nil && len(answer.peers) > 0 {
				settling = time.After(settle)
			}
		case <-settling:
			settled = true
		case <-ctx.Done():
			return
		}
		if settled || missing == 0 {
			for _, info := range m.take(missing == 0) {
				found <- info
			}
		}
	}
}

// usable are the peers of an answer that the host may dial, without the host itself.
func usable(a *answer, self peer.ID) []peer.AddrInfo {
	var peers []peer.AddrInfo
	for _, record := range a.Peers {
		var info peer.AddrInfo
		for _, address := range append([]string{record.Address}, record.Addresses...) {
			one, err := peer.AddrInfoFromString(address)
			if err != nil || one.ID == self || info.ID != "" && info.ID != one.ID {
				continue
			}
			for _, addr := range one.Addrs {
				if mayDial(addr, a.from) && !slices.ContainsFunc(info.Addrs, addr.Equal) {
					info.ID, info.Addrs = one.ID, append(info.Addrs, addr)
				}
			}
		}
		if info.ID != "" && len(info.Addrs) <= maxAddresses {
			peers = append(peers, info)
		}
	}
	return peers
}

// mayDial keeps a bootstrap from using its clients as port scanners, or against their own networks.
func mayDial(addr, from ma.Multiaddr) bool {
	port, ok := tcpPort(addr)
	if !ok || port < 1024 && port != 80 && port != 443 {
		return false
	}
	return manet.IsPublicAddr(addr) || !manet.IsPublicAddr(from)
}

// tcpPort is the port of an address that is a literal IP and TCP, and nothing more.
func tcpPort(addr ma.Multiaddr) (int, bool) {
	if len(addr) != 2 || addr[0].Code() != ma.P_IP4 && addr[0].Code() != ma.P_IP6 || addr[1].Code() != ma.P_TCP {
		return 0, false
	}
	port, err := strconv.Atoi(addr[1].Value())
	return port, err == nil && port > 0
}
