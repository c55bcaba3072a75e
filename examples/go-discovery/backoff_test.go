package bootstrap

import (
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

func TestThePausesAreThoseOfTheProtocol(t *testing.T) {
	now := time.Unix(0, 0)
	for random, scale := range map[float64]float64{0: 0.8, 0.5: 1, 0.75: 1.1} {
		s := &strategy{now: func() time.Time { return now }, random: func() float64 { return random }}
		for _, seconds := range []float64{0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
			want := time.Duration(seconds * scale * float64(time.Second))
			if delay := s.Delay(); (delay - want).Abs() > time.Microsecond {
				t.Fatalf("%v, not %v", delay, want)
			}
			now = now.Add(s.delay)
			s.Reset()
		}
	}
}

func TestItBeginsAgainAfterAPause(t *testing.T) {
	now := time.Unix(0, 0)
	s := &strategy{now: func() time.Time { return now }, random: func() float64 { return 0.5 }}
	for range 5 {
		s.Delay()
	}
	now = now.Add(s.delay + idle)
	if delay := s.Delay(); delay != 16*time.Second {
		t.Fatalf("%v", delay)
	}
	now = now.Add(s.delay + idle + 1)
	if delay := s.Delay(); delay != firstPause {
		t.Fatalf("%v", delay)
	}
}

func TestAnAnswerFromTheInternetNamesNoPrivateAddresses(t *testing.T) {
	for _, c := range []struct {
		addr, from string
		may        bool
	}{
		{"/ip4/8.8.8.8/tcp/4001", "/ip4/1.1.1.1/tcp/4000", true},
		{"/ip4/10.0.0.1/tcp/4001", "/ip4/1.1.1.1/tcp/4000", false},
		{"/ip4/127.0.0.1/tcp/4001", "/ip4/1.1.1.1/tcp/4000", false},
		{"/ip6/::1/tcp/4001", "/ip6/2606:4700::1/tcp/4000", false},
		{"/ip4/10.0.0.1/tcp/4001", "/ip4/10.0.0.2/tcp/4000", true},
		{"/ip4/8.8.8.8/tcp/443", "/ip4/1.1.1.1/tcp/4000", true},
		{"/ip4/8.8.8.8/tcp/25", "/ip4/1.1.1.1/tcp/4000", false},
		{"/ip4/8.8.8.8/tcp/0", "/ip4/1.1.1.1/tcp/4000", false},
		{"/ip4/8.8.8.8/tcp/4001/ws", "/ip4/1.1.1.1/tcp/4000", false},
	} {
		if mayDial(ma.StringCast(c.addr), ma.StringCast(c.from)) != c.may {
			t.Errorf("%s from %s: not %v", c.addr, c.from, c.may)
		}
	}
}
