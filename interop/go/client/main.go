// The client is a go-libp2p peer of a bootstrap node. It listens on loopback, registers where it listens, and prints
// who it is and the list it was answered with. Then it takes a command a line, and answers each with a line of JSON:
//
//	ask <request>   sends a request as it is: {"answer": …}
//	find <peer id>  looks a peer up in the list, dials it, pings it, hangs up: {"address": …, "rtt": seconds}
//
// What fails is {"error": …}. It stays up until stdin ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"bootstrap-peer/interop/bootstrap"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

func main() {
	node := flag.String("bootstrap", "", "multiaddr of the bootstrap node, with /p2p")
	network := flag.String("network", "", "the network to register in")
	keyType := flag.String("key", "ed25519", "type of the identity: ed25519, secp256k1, rsa or ecdsa")
	flag.Parse()
	if err := run(*node, *network, *keyType); err != nil {
		report(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
}

func run(nodeAddress, network, keyType string) error {
	node, err := peer.AddrInfoFromString(nodeAddress)
	if err != nil {
		return err
	}
	key, err := newKey(keyType)
	if err != nil {
		return err
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		return err
	}
	defer h.Close()
	c := client{h, *node, network}
	address := h.Addrs()[0].String()

	var list []bootstrap.Peer
	request := map[string]any{"address": address, "network": network}
	if err := bootstrap.Exchange(context.Background(), h, *node, request, &list); err != nil {
		return err
	}
	report(map[string]any{"peerId": h.ID().String(), "address": address, "answer": list})

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		result, err := c.obey(lines.Text())
		if err != nil {
			result = map[string]any{"error": err.Error()}
		}
		report(result)
	}
	return nil
}

type client struct {
	host    host.Host
	node    peer.AddrInfo
	network string
}

func (c client) obey(line string) (map[string]any, error) {
	command, argument, _ := strings.Cut(line, " ")
	switch command {
	case "ask":
		var answer any
		err := bootstrap.Exchange(context.Background(), c.host, c.node, json.RawMessage(argument), &answer)
		return map[string]any{"answer": answer}, err
	case "find":
		return c.find(argument)
	}
	return nil, fmt.Errorf("no command %q", command)
}

func (c client) find(id string) (map[string]any, error) {
	var list []bootstrap.Peer
	request := map[string]any{"network": c.network}
	if err := bootstrap.Exchange(context.Background(), c.host, c.node, request, &list); err != nil {
		return nil, err
	}
	for _, record := range list {
		found, err := peer.AddrInfoFromString(record.Address)
		if err != nil || found.ID.String() != id {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), bootstrap.Timeout)
		defer cancel()
		if err := c.host.Connect(ctx, *found); err != nil {
			return nil, err
		}
		defer c.host.Network().ClosePeer(found.ID)
		pong := <-ping.Ping(ctx, c.host, found.ID)
		return map[string]any{"address": record.Address, "rtt": pong.RTT.Seconds()}, pong.Error
	}
	return nil, fmt.Errorf("%s is not on the list of %d", id, len(list))
}

func report(result map[string]any) {
	_ = json.NewEncoder(os.Stdout).Encode(result)
}
