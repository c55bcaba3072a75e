// The rendezvous client of Waku (github.com/waku-org/go-libp2p-rendezvous), unmodified, as a program: it connects to a
// rendezvous point, says who it is, and takes a command a line, each answered with a line of JSON:
//
//	register <namespace> <ttl>     {"ttl": …}
//	discover <namespace> <limit>   from the beginning: {"peers": [{"peerId", "addresses"}]}
//	more <namespace> <limit>       with the last cookie: the same
//	unregister <namespace>         {}
//
// What fails is {"error": …}. It stays up until stdin ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	rendezvous "github.com/waku-org/go-libp2p-rendezvous"
)

// timeout of a command.
const timeout = 20 * time.Second

func main() {
	if err := run(os.Args[1]); err != nil {
		report(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
}

func run(address string) error {
	point, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.Connect(context.Background(), *point); err != nil {
		return err
	}
	c := client{RendezvousPoint: rendezvous.NewRendezvousPoint(h, point.ID)}
	report(map[string]any{"peerId": h.ID().String(), "address": h.Addrs()[0].String()})

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
	rendezvous.RendezvousPoint
	cookie []byte
}

func (c *client) obey(line string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	words := append(strings.Split(line, " "), "", "")
	command, namespace := words[0], words[1]
	number, _ := strconv.Atoi(words[2])
	switch command {
	case "register":
		ttl, err := c.Register(ctx, namespace, number)
		return map[string]any{"ttl": ttl.Seconds()}, err
	case "unregister":
		return map[string]any{}, c.Unregister(ctx, namespace)
	case "discover":
		return c.discover(ctx, namespace, number, nil)
	case "more":
		return c.discover(ctx, namespace, number, c.cookie)
	}
	return nil, fmt.Errorf("no command %q", line)
}

func (c *client) discover(ctx context.Context, namespace string, limit int, cookie []byte) (map[string]any, error) {
	found, cookie, err := c.Discover(ctx, namespace, limit, cookie)
	if err != nil {
		return nil, err
	}
	c.cookie = cookie
	peers := []map[string]any{}
	for _, registration := range found {
		peers = append(peers, map[string]any{
			"peerId":    registration.Peer.ID.String(),
			"addresses": registration.Peer.Addrs,
		})
	}
	return map[string]any{"peers": peers}, nil
}

func report(result map[string]any) {
	_ = json.NewEncoder(os.Stdout).Encode(result)
}
