package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	ma "github.com/multiformats/go-multiaddr"
)

// advertiseFor bounds a call of Advertise, as go-libp2p's routing discovery bounds its own.
const advertiseFor = time.Minute

// maxAddresses is the protocol's bound of addresses of a request.
const maxAddresses = 8

// ErrNotListening is returned by Advertise when the host listens on no TCP port: there is nothing to register.
var ErrNotListening = errors.New("bootstrap: the host listens on no TCP port")

// Discovery registers a host with bootstraps and asks them for peers. It is safe for concurrent use, and holds nothing that
// has to be closed.
type Discovery struct {
	host       host.Host
	bootstraps []*bootstrap
	log        *slog.Logger
}

var _ discovery.Discovery = (*Discovery)(nil)

// Option is a setting of New.
type Option func(*Discovery)

// WithLogger sets where failures go, of each bootstrap: the first in a row as a warning, the others at debug. The default is
// slog.Default.
func WithLogger(logger *slog.Logger) Option {
	return func(d *Discovery) { d.log = logger }
}

// New returns a Discovery at the bootstraps. It does not dial. It is an error when there are none, or one has no address.
func New(h host.Host, bootstraps []peer.AddrInfo, options ...Option) (*Discovery, error) {
	if len(bootstraps) == 0 {
		return nil, errors.New("bootstrap: there are no bootstraps to ask")
	}
	d := &Discovery{host: h, log: slog.Default()}
	for _, info := range bootstraps {
		if info.ID == "" || len(info.Addrs) == 0 {
			return nil, fmt.Errorf("bootstrap: %v has no PeerId or no address; write /ip4/…/tcp/…/p2p/…", info)
		}
		d.bootstraps = append(d.bootstraps, &bootstrap{host: h, info: info})
	}
	for _, option := range options {
		option(d)
	}
	return d, nil
}

// Advertise registers the host's TCP ports in the network ns with every bootstrap, each at the IP that the bootstrap sees
// the host at. It returns when to call it again: half of the time that the registration lasts, or sooner when a bootstrap
// did not answer, did not take it, or has not dialled back yet. discovery.TTL is how long it shall last; the bootstraps take
// 1 minute to 72 hours, and 2 hours without the option.
//
// It succeeds when one bootstrap has taken it. While none answers it tries again by itself, after 0.5, 1, 2 … s, for a
// minute at most: dutil.Advertise sleeps for two minutes after an error. What all of them refuse is an [*Error] at once, as
// when nothing can be dialled at the host's ports. An error comes with the time to call again, as pubsub expects it.
func (d *Discovery) Advertise(ctx context.Context, ns string, opts ...discovery.Option) (time.Duration, error) {
	var options discovery.Options
	if err := options.Apply(opts...); err != nil {
		return 0, err
	}
	addresses := ports(d.host.Addrs())
	if len(addresses) == 0 {
		return 0, ErrNotListening
	}
	// It needs no list.
	req := request{Addresses: addresses, Network: ns, Limit: new(int), Explain: true}
	if options.Ttl > 0 {
		req.TTL = max(1, int64(options.Ttl/time.Second))
	}
	for deadline := time.Now().Add(advertiseFor); ; {
		next, answered, err := d.register(ctx, req)
		if err == nil || answered || ctx.Err() != nil || time.Now().Add(next).After(deadline) {
			return next, err
		}
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return next, errors.Join(ctx.Err(), err)
		}
	}
}

// register makes one round. It is an error when no bootstrap has taken the registration; answered says that they all
// refused it, so that trying again at once is of no use.
func (d *Discovery) register(ctx context.Context, req request) (next time.Duration, answered bool, err error) {
	errs := make([]error, len(d.bootstraps))
	ttls := make([]time.Duration, len(d.bootstraps))
	d.eachBootstrap(func(n int, b *bootstrap) {
		ttls[n], errs[n] = b.register(ctx, req)
		d.tell(ctx, &b.registering, "not registered with a bootstrap", req.Network, errs[n])
	})

	taken, refused := false, 0
	for n, b := range d.bootstraps {
		var refusal *Error
		switch {
		case errs[n] == nil:
			taken, next = true, shortest(next, ttls[n]/2)
			continue
		case errors.Is(errs[n], errPending):
			taken = true
		case errors.As(errs[n], &refusal) && refusal.Registration:
			refused++
		}
		next = shortest(next, b.pause())
	}
	if !taken {
		return next, refused == len(d.bootstraps), errors.Join(errs...)
	}
	return next, true, nil
}

// eachBootstrap calls do for all of them side by side, and waits.
func (d *Discovery) eachBootstrap(do func(n int, b *bootstrap)) {
	var all sync.WaitGroup
	for n, b := range d.bootstraps {
		all.Go(func() { do(n, b) })
	}
	all.Wait()
}

// tell logs a failure as a warning when it is the first in a row, so that a dead bootstrap does not fill the log.
func (d *Discovery) tell(ctx context.Context, failing *atomic.Bool, what, network string, err error) {
	level := slog.LevelWarn
	if was := failing.Swap(err != nil); was {
		level = slog.LevelDebug
	}
	if err != nil && ctx.Err() == nil {
		d.log.Log(ctx, level, what, "network", network, "err", err)
	}
}

// shortest takes 0 for none.
func shortest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ports are the host's TCP ports as registrations, ":<port>": at the IP that the bootstrap sees, for it takes no other.
func ports(addrs []ma.Multiaddr) []string {
	var found []string
	for _, addr := range addrs {
		if port, ok := tcpPort(addr); ok {
			if address := ":" + strconv.Itoa(port); !slices.Contains(found, address) {
				found = append(found, address)
			}
		}
	}
	return found[:min(len(found), maxAddresses)]
}
