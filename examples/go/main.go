// A libp2p node that finds the peers of its network: go run . <bootstrap multiaddr> <network> <listen port>
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
)

func main() {
	const target, first, refresh = 8, 500 * time.Millisecond, 5 * time.Minute
	flag.Parse()
	bootstrap, badAddress := peer.AddrInfoFromString(flag.Arg(0))
	h, badPort := libp2p.New(libp2p.ListenAddrStrings("/ip4/0.0.0.0/tcp/"+flag.Arg(2), "/ip6/::/tcp/"+flag.Arg(2)))
	if err := errors.Join(badAddress, badPort); err != nil {
		log.Fatalf("usage: go run . <bootstrap multiaddr> <network> <listen port>\n%v", err)
	}
	h.Network().Notify(&network.NotifyBundle{ConnectedF: func(n network.Network, c network.Conn) {
		if id := c.RemotePeer(); id != bootstrap.ID && append(n.ConnsToPeer(id), c)[0] == c {
			fmt.Println("connected", id) // this is its first connection
		}
	}})
	h.Peerstore().AddAddrs(bootstrap.ID, bootstrap.Addrs, peerstore.PermanentAddrTTL)
	request := map[string]any{"address": ":" + flag.Arg(2), "network": flag.Arg(1), "limit": target, "explain": true}
	for wait := first; ; wait = min(2*wait, refresh) {
		var answer struct {
			Peers, Registrations []struct{ Address, Status, Message string }
			Error                struct{ Message, RetryAfter any }
		}
		s, err := h.NewStream(context.Background(), bootstrap.ID, "/bootstrap/1.0.0")
		if err == nil {
			s.SetDeadline(time.Now().Add(15 * time.Second))
			err = errors.Join(json.NewEncoder(s).Encode(request), s.CloseWrite(), json.NewDecoder(io.LimitReader(s, 512<<10)).Decode(&answer))
			h.Network().ClosePeer(bootstrap.ID) // or it would count as a peer
		}
		log.Println("peers:", len(answer.Peers), "registered:", answer.Registrations, "errors:", answer.Error.Message, err)
		for _, p := range answer.Peers {
			if info, err := peer.AddrInfoFromString(p.Address); err == nil {
				go h.Connect(context.Background(), *info)
			}
		}
		retryAfter, _ := answer.Error.RetryAfter.(float64)
		time.Sleep(max(wait*4/5+rand.N(wait*2/5), time.Duration(retryAfter*float64(time.Second))))
		for held := refresh*4/5 + rand.N(refresh*2/5); held > 0 && len(h.Network().Peers()) >= target; held -= time.Second {
			time.Sleep(time.Second) // it has enough; each such second makes the next wait shorter
			wait = max(first/2, wait-wait/32)
		}
	}
}
