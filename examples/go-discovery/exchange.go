package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"

	ma "github.com/multiformats/go-multiaddr"
)

// Protocol is the protocol's name on the wire.
const Protocol protocol.ID = "/bootstrap/1.0.0"

const (
	// exchangeTimeout: a bootstrap's own deadlines add up to 11 s.
	exchangeTimeout = 15 * time.Second
	// maxAnswerBytes is the protocol's bound of an answer.
	maxAnswerBytes = 512 << 10
)

// errPending is the registration that was taken and not dialled back yet.
var errPending = errors.New("registered, and not dialled back yet")

// Error is what a bootstrap says is wrong: with the whole request, or with each address of a registration.
type Error struct {
	Bootstrap peer.ID
	// Code is from the tables of the protocol, such as rate_limited or dial_timeout. New ones may come.
	Code string
	// Message says the same for people.
	Message string
	// RetryAfter is how long the bootstrap wants to be left alone; the Discovery obeys it. 0 for none.
	RetryAfter time.Duration
	// Registration tells that the request was served, and each address in it refused.
	Registration bool
}

func (e *Error) Error() string {
	return fmt.Sprintf("bootstrap %s: %s (%s)", e.Bootstrap, e.Message, e.Code)
}

type request struct {
	Addresses []string `json:"addresses,omitempty"`
	Network   string   `json:"network"`
	// TTL is in seconds.
	TTL     int64 `json:"ttl,omitempty"`
	Limit   *int  `json:"limit,omitempty"`
	Explain bool  `json:"explain"`
}

type answer struct {
	Peers         []record       `json:"peers"`
	Registrations []registration `json:"registrations"`
	Error         *struct {
		Code       string  `json:"code"`
		Message    string  `json:"message"`
		RetryAfter float64 `json:"retryAfter"`
	} `json:"error"`
	// from is where the bootstrap was asked.
	from ma.Multiaddr
}

type record struct {
	Address   string   `json:"address"`
	Addresses []string `json:"addresses"`
}

type registration struct {
	Status    string   `json:"status"`
	Code      string   `json:"code"`
	Message   string   `json:"message"`
	ExpiresIn *float64 `json:"expiresIn"`
}

// bootstrap is one of those that a Discovery asks.
type bootstrap struct {
	host host.Host
	info peer.AddrInfo

	// registering and finding tell that the last one failed.
	registering, finding atomic.Bool

	mu sync.Mutex
	// users counts the exchanges under way; the last one hangs up, if the first one had to dial.
	users   int
	dialled bool
	// failures counts registrations in a row that it did not take.
	failures  int
	notBefore time.Time
}

// register returns how long the registration lasts, or errPending.
func (b *bootstrap) register(ctx context.Context, req request) (ttl time.Duration, err error) {
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.failures++; err == nil {
			b.failures = 0
		}
	}()
	answer, err := b.exchange(ctx, req)
	if err != nil {
		return 0, err
	}
	pending := false
	for _, r := range answer.Registrations {
		if r.Status == "listed" {
			// Without a time it never ends; the protocol's longest will do.
			ttl = shortest(ttl, seconds(r.ExpiresIn, 72*time.Hour))
		}
		pending = pending || r.Status == "pending"
	}
	switch {
	case ttl > 0:
		return ttl, nil
	case pending:
		return 0, fmt.Errorf("bootstrap %s: %w", b.info.ID, errPending)
	case len(answer.Registrations) == 0:
		return 0, fmt.Errorf("bootstrap %s: the answer does not say what became of the registration", b.info.ID)
	}
	first := answer.Registrations[0]
	return 0, &Error{Bootstrap: b.info.ID, Code: first.Code, Message: first.Message, Registration: true}
}

// pause is how long to leave it alone before the next registration.
func (b *bootstrap) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(jittered(step(b.failures), rand.Float64()), time.Until(b.notBefore))
}

// exchange sends one request and reads its answer. An answer that is only an error is an *Error.
func (b *bootstrap) exchange(ctx context.Context, req request) (*answer, error) {
	b.mu.Lock()
	wait := time.Until(b.notBefore)
	b.mu.Unlock()
	if wait > 0 {
		return nil, fmt.Errorf("bootstrap %s: wants to be left alone for %s", b.info.ID, wait.Round(time.Second))
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	defer b.use()()

	line, from, err := b.roundTrip(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("bootstrap %s: %w", b.info.ID, errors.Join(ctx.Err(), err))
	}
	answer := &answer{from: from}
	if err := json.Unmarshal(line, answer); err != nil {
		return nil, fmt.Errorf("bootstrap %s: the answer is not one of %s: %w", b.info.ID, Protocol, err)
	}
	if e := answer.Error; e != nil {
		retryAfter := seconds(&e.RetryAfter, 0)
		b.mu.Lock()
		b.notBefore = time.Now().Add(retryAfter)
		b.mu.Unlock()
		// Registrations and peers are there when only the disk takes nothing.
		if answer.Peers == nil || len(req.Addresses) > 0 {
			return nil, &Error{Bootstrap: b.info.ID, Code: e.Code, Message: e.Message, RetryAfter: retryAfter}
		}
	}
	return answer, nil
}

func (b *bootstrap) roundTrip(ctx context.Context, req request) ([]byte, ma.Multiaddr, error) {
	// The host's own back-off from a dead address would come on top of ours.
	if s, ok := b.host.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(b.info.ID)
	}
	if err := b.host.Connect(ctx, b.info); err != nil {
		return nil, nil, err
	}
	stream, err := b.host.NewStream(ctx, b.info.ID, Protocol)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	defer stream.Close()
	if err := json.NewEncoder(stream).Encode(req); err != nil {
		return nil, nil, err
	}
	if err := stream.CloseWrite(); err != nil {
		return nil, nil, err
	}
	line, err := io.ReadAll(io.LimitReader(stream, maxAnswerBytes+1))
	if err == nil && len(line) > maxAnswerBytes {
		_ = stream.Reset()
		err = fmt.Errorf("the answer is longer than %d bytes", maxAnswerBytes)
	}
	return line, stream.Conn().RemoteMultiaddr(), err
}

// use keeps the connection for an exchange. What it returns hangs up after the last exchange, unless the host was connected
// before the first.
func (b *bootstrap) use() (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users++; b.users == 1 {
		b.dialled = b.host.Network().Connectedness(b.info.ID) != network.Connected
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.users--; b.users == 0 && b.dialled {
			_ = b.host.Network().ClosePeer(b.info.ID)
		}
	}
}

// seconds is a time of an answer, within what a time.Duration and good sense can hold.
func seconds(n *float64, none time.Duration) time.Duration {
	const most = 72 * time.Hour
	if n == nil {
		return none
	}
	return time.Duration(min(max(*n, 0), most.Seconds()) * float64(time.Second))
}
