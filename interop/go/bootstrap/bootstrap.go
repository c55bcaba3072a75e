// Package bootstrap is a client of /bootstrap/1.0.0 on go-libp2p.
package bootstrap

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Protocol is its name on the wire.
const Protocol = "/bootstrap/1.0.0"

// Timeout is how long an exchange may take. The node's own deadlines add up to 11 s.
const Timeout = 15 * time.Second

// Peer is a record of an answer; with Address alone it is a registration, too.
type Peer struct {
	Address   string   `json:"address"`
	Addresses []string `json:"addresses,omitempty"`
}

// Exchange sends one request and reads its answer: all there is to the protocol.
func Exchange(ctx context.Context, h host.Host, node peer.AddrInfo, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if err := h.Connect(ctx, node); err != nil {
		return err
	}
	stream, err := h.NewStream(ctx, node.ID, Protocol)
	if err != nil {
		return err
	}
	defer stream.Close()
	_ = stream.SetDeadline(time.Now().Add(Timeout))
	if err := json.NewEncoder(stream).Encode(request); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil {
		return err
	}
	line, err := io.ReadAll(io.LimitReader(stream, 512<<10))
	if err != nil {
		return err
	}
	return json.Unmarshal(line, answer)
}
