package bootstrap_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	bootstrap "bootstrap-peer/discovery"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// fake is a bootstrap that answers what a test says. A nil answer resets the stream.
type fake struct {
	host.Host
	answer func(n int, request map[string]any) any

	mu       sync.Mutex
	requests []map[string]any
	times    []time.Time
}

func newFake(t *testing.T, answer func(n int, request map[string]any) any) *fake {
	f := &fake{Host: newHost(t), answer: answer}
	f.SetStreamHandler(bootstrap.Protocol, func(stream network.Stream) {
		defer stream.Close()
		line, err := io.ReadAll(stream)
		if err != nil {
			return
		}
		var request map[string]any
		if err := json.Unmarshal(line, &request); err != nil {
			t.Errorf("the request is %q", line)
		}
		f.mu.Lock()
		n := len(f.requests)
		f.requests, f.times = append(f.requests, request), append(f.times, time.Now())
		f.mu.Unlock()
		switch a := answer(n, request).(type) {
		case nil:
			_ = stream.Reset()
		case string:
			_, _ = io.WriteString(stream, a)
		default:
			w := bufio.NewWriter(stream)
			_ = json.NewEncoder(w).Encode(a)
			_ = w.Flush()
		}
	})
	return f
}

func (f *fake) seen() ([]map[string]any, []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests, f.times
}

func newHost(t *testing.T, options ...libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(append([]libp2p.Option{libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func infoOf(h host.Host) peer.AddrInfo {
	return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}
}

func newDiscovery(t *testing.T, h host.Host, bootstraps ...host.Host) *bootstrap.Discovery {
	t.Helper()
	var infos []peer.AddrInfo
	for _, b := range bootstraps {
		infos = append(infos, infoOf(b))
	}
	d, err := bootstrap.New(h, infos, bootstrap.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func listed(seconds int) any {
	return map[string]any{"peers": []any{}, "registrations": []any{
		map[string]any{"address": "…", "status": "listed", "code": "listed", "message": "others are handed this address", "expiresIn": seconds},
	}}
}

func refused(code string) any {
	return map[string]any{"peers": []any{}, "registrations": []any{
		map[string]any{"address": "…", "status": "refused", "code": code, "message": "no", "expiresIn": nil},
	}}
}

func rateLimited(seconds float64) any {
	return map[string]any{"error": map[string]any{"code": "rate_limited", "message": "too many requests", "retryAfter": seconds}}
}

func peersAt(addresses ...string) any {
	var peers []any
	for _, address := range addresses {
		peers = append(peers, map[string]any{"address": address})
	}
	return map[string]any{"peers": peers}
}

func address(port int, id peer.ID) string {
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/p2p/%s", port, id)
}
