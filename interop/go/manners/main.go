// The manners are what a kubo-like host expects of any libp2p node: TLS offered before Noise, several protocol
// versions offered at once, identify, ping, and a clean refusal of what the node does not speak. Prints one line of
// JSON for each: {"name": …} with "error" where it is not so.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"bootstrap-peer/interop/bootstrap"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multistream"
)

// What each kubo node speaks; a bootstrap node need not.
var foreign = []protocol.ID{"/ipfs/kad/1.0.0", "/ipfs/bitswap/1.2.0", "/libp2p/circuit/relay/0.2.0/hop"}

func main() {
	address := flag.String("bootstrap", "", "multiaddr of the bootstrap node, with /p2p")
	agent := flag.String("agent", "", "the agent version it should have")
	flag.Parse()
	if err := run(*address, *agent); err != nil {
		fmt.Fprintln(os.Stderr, "manners:", err)
		os.Exit(1)
	}
}

func run(address, agent string) error {
	node, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.UserAgent("kubo/0.30.0"),
	)
	if err != nil {
		return err
	}
	defer h.Close()
	g := guest{h, *node, agent}
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"connect, TLS offered before Noise", g.connect},
		{"identify", g.identify},
		{"ping, 5 on one stream", g.ping},
		{"unknown protocols refused, the connection kept", g.unknown},
		{"the newest version that both speak", g.versions},
		{"identify asked again", g.identifyAgain},
		{"a stream that is reset at once", g.reset},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), bootstrap.Timeout)
		line := map[string]any{"name": check.name}
		if err := check.run(ctx); err != nil {
			line["error"] = err.Error()
		}
		cancel()
		_ = json.NewEncoder(os.Stdout).Encode(line)
	}
	return nil
}

type guest struct {
	host  host.Host
	node  peer.AddrInfo
	agent string
}

func (g guest) connect(ctx context.Context) error {
	if err := g.host.Connect(ctx, g.node); err != nil {
		return err
	}
	state := g.host.Network().ConnsToPeer(g.node.ID)[0].ConnState()
	if state.Security != noise.ID || state.StreamMultiplexer != yamux.ID {
		return fmt.Errorf("settled on %s and %s", state.Security, state.StreamMultiplexer)
	}
	return nil
}

// What go-libp2p learnt of the node by its own identify, which Connect has waited for.
func (g guest) identify(context.Context) error {
	store := g.host.Peerstore()
	agent, err := store.Get(g.node.ID, "AgentVersion")
	if err != nil {
		return err
	}
	if agent != g.agent {
		return fmt.Errorf("the agent is %q, not %q", agent, g.agent)
	}
	protocols, err := store.GetProtocols(g.node.ID)
	if err != nil {
		return err
	}
	for _, expected := range []protocol.ID{bootstrap.Protocol, ping.ID, "/ipfs/id/1.0.0"} {
		if !slices.Contains(protocols, expected) {
			return fmt.Errorf("%s is not among its protocols %v", expected, protocols)
		}
	}
	for _, address := range store.Addrs(g.node.ID) {
		if address.Equal(g.node.Addrs[0]) {
			return nil
		}
	}
	return fmt.Errorf("%s is not among its addresses %v", g.node.Addrs[0], store.Addrs(g.node.ID))
}

func (g guest) ping(ctx context.Context) error {
	pongs := ping.Ping(ctx, g.host, g.node.ID)
	for range 5 {
		if pong := <-pongs; pong.Error != nil {
			return pong.Error
		}
	}
	return nil
}

func (g guest) unknown(ctx context.Context) error {
	for _, id := range foreign {
		stream, err := g.host.NewStream(ctx, g.node.ID, id)
		var refused multistream.ErrNotSupported[protocol.ID]
		if err == nil {
			_ = stream.Reset()
			return fmt.Errorf("%s was taken", id)
		} else if !errors.As(err, &refused) {
			return fmt.Errorf("%s: not refused, but %w", id, err)
		}
	}
	if g.host.Network().Connectedness(g.node.ID) != network.Connected {
		return errors.New("the connection is gone")
	}
	return nil
}

func (g guest) versions(ctx context.Context) error {
	stream, err := g.host.NewStream(ctx, g.node.ID, "/bootstrap/9.0.0", bootstrap.Protocol)
	if err != nil {
		return err
	}
	defer stream.Close()
	if stream.Protocol() != bootstrap.Protocol {
		return fmt.Errorf("settled on %s", stream.Protocol())
	}
	return nil
}

// As nodes of years ago ask: on a stream of its own, read to the end.
func (g guest) identifyAgain(ctx context.Context) error {
	stream, err := g.host.NewStream(ctx, g.node.ID, "/ipfs/id/1.0.0")
	if err != nil {
		return err
	}
	defer stream.Close()
	_ = stream.SetDeadline(time.Now().Add(bootstrap.Timeout))
	var message bytes.Buffer
	if _, err := message.ReadFrom(stream); err != nil {
		return err
	}
	if !bytes.Contains(message.Bytes(), []byte(g.agent)) {
		return fmt.Errorf("%d bytes without the agent", message.Len())
	}
	return nil
}

func (g guest) reset(ctx context.Context) error {
	stream, err := g.host.NewStream(ctx, g.node.ID, bootstrap.Protocol)
	if err != nil {
		return err
	}
	if err := stream.Reset(); err != nil {
		return err
	}
	var list []bootstrap.Peer
	return bootstrap.Exchange(ctx, g.host, g.node, struct{}{}, &list)
}
