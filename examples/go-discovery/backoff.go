package bootstrap

import (
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/p2p/discovery/backoff"
)

// When to ask again, as docs/protocol.md has it.
const (
	firstPause = 500 * time.Millisecond
	refresh    = 5 * time.Minute
	jitter     = 0.2
	// idle: who did not ask for so long begins again.
	idle = time.Minute
)

// NewBackoff is the backoff.BackoffFactory for backoff.NewBackoffDiscovery and backoff.NewBackoffConnector: 0.5, 1, 2, 4 … s
// up to 5 minutes, each ± 20 %, so that a bootstrap is asked 8 times at most in the first minute, the registration not counted.
//
// It begins again once it was not used for a minute longer than it said, as when a host had all the peers it wants and then
// lost some. News do not restart it (Reset does nothing): in a network that is larger than an answer, every answer has some.
func NewBackoff() backoff.BackoffStrategy {
	return &strategy{now: time.Now, random: rand.Float64}
}

type strategy struct {
	now    func() time.Time
	random func() float64

	last  time.Time
	delay time.Duration
	steps int
}

func (s *strategy) Delay() time.Duration {
	now := s.now()
	if now.Sub(s.last) > s.delay+idle {
		s.steps = 0
	}
	s.steps++
	s.last, s.delay = now, jittered(step(s.steps), s.random())
	return s.delay
}

func (s *strategy) Reset() {}

// step is the n-th pause, from 1; 0 is as 1.
func step(n int) time.Duration {
	pause := firstPause
	for range n - 1 {
		if pause *= 2; pause >= refresh {
			return refresh
		}
	}
	return pause
}

// jittered takes a number from [0, 1).
func jittered(pause time.Duration, random float64) time.Duration {
	return time.Duration(float64(pause) * (1 - jitter + 2*jitter*random))
}
