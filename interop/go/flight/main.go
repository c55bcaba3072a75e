// The flight is many go-libp2p hosts, one after the other in a few lanes, each of which identifies the node and then
// asks it for the list. A host that has seen the protocol in identify does not wait for the negotiation: it sends
// negotiation, request and half-close in one flight. Prints how many did, and how many were answered.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"

	"bootstrap-peer/interop/bootstrap"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
)

// How many hosts are up at a time.
const lanes = 8

// What is printed at most of what went wrong.
const maxErrors = 5

type tally struct {
	Hosts     int      `json:"hosts"`
	OneFlight int      `json:"oneFlight"`
	Answered  int      `json:"answered"`
	Errors    []string `json:"errors,omitempty"`
}

func main() {
	address := flag.String("bootstrap", "", "multiaddr of the bootstrap node, with /p2p")
	hosts := flag.Int("hosts", 1000, "how many hosts")
	flag.Parse()
	node, err := peer.AddrInfoFromString(*address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "flight:", err)
		os.Exit(1)
	}

	result := tally{Hosts: *hosts}
	var lock sync.Mutex
	var group sync.WaitGroup
	turns := make(chan struct{})
	for range lanes {
		group.Go(func() {
			for range turns {
				oneFlight, err := ask(*node)
				lock.Lock()
				if oneFlight {
					result.OneFlight++
				}
				if err == nil {
					result.Answered++
				} else if len(result.Errors) < maxErrors {
					result.Errors = append(result.Errors, err.Error())
				}
				lock.Unlock()
			}
		})
	}
	for range *hosts {
		turns <- struct{}{}
	}
	close(turns)
	group.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(result)
}

// Reports whether go-libp2p knew the protocol before it opened the stream, which is when it does not wait.
func ask(node peer.AddrInfo) (oneFlight bool, err error) {
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableMetrics())
	if err != nil {
		return false, err
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(context.Background(), bootstrap.Timeout)
	defer cancel()
	if err := h.Connect(ctx, node); err != nil {
		return false, err
	}
	known, err := h.Peerstore().FirstSupportedProtocol(node.ID, bootstrap.Protocol)
	if err != nil {
		return false, err
	}
	var list []bootstrap.Peer
	err = bootstrap.Exchange(ctx, h, node, struct{}{}, &list)
	return known == bootstrap.Protocol, err
}
