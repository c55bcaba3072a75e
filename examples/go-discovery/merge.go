package bootstrap

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	ma "github.com/multiformats/go-multiaddr"
)

// merge makes one list of the answers of several bootstraps: in turn one of each, each peer once with the addresses that all
// of them name, and again when a later answer has further ones.
type merge struct {
	// limit is how many peers there may be; 0 for no limit.
	limit int
	// share is how many of them may be of one bootstrap while others have not answered.
	share int

	queues [][]peer.ID
	given  []int
	count  int
	addrs  map[peer.ID][]ma.Multiaddr
	// taken is how many of a peer's addresses were handed out.
	taken map[peer.ID]int
}

func newMerge(bootstraps, limit int) *merge {
	return &merge{
		limit:  limit,
		share:  (limit + bootstraps - 1) / bootstraps,
		queues: make([][]peer.ID, bootstraps),
		given:  make([]int, bootstraps),
		addrs:  make(map[peer.ID][]ma.Multiaddr),
		taken:  make(map[peer.ID]int),
	}
}

func (m *merge) add(answer told) {
	for _, info := range answer.peers {
		m.queues[answer.bootstrap] = append(m.queues[answer.bootstrap], info.ID)
		for _, addr := range info.Addrs {
			if !slices.ContainsFunc(m.addrs[info.ID], addr.Equal) {
				m.addrs[info.ID] = append(m.addrs[info.ID], addr)
			}
		}
	}
}

// take empties the queues; while answers are missing, each as far as its share goes.
func (m *merge) take(complete bool) []peer.AddrInfo {
	var peers []peer.AddrInfo
	for n := m.next(complete); n >= 0; n = m.next(complete) {
		id := m.queues[n][0]
		m.queues[n] = m.queues[n][1:]
		first := m.taken[id] == 0
		further := m.addrs[id][m.taken[id]:]
		if len(further) == 0 || first && m.limit > 0 && m.count >= m.limit {
			continue
		}
		m.taken[id] = len(m.addrs[id])
		if first {
			m.count++
			m.given[n]++
		}
		peers = append(peers, peer.AddrInfo{ID: id, Addrs: slices.Clone(further)})
	}
	return peers
}

// next is the bootstrap whose turn it is, the one that has given the fewest; -1 for none.
func (m *merge) next(complete bool) int {
	next := -1
	for n, queue := range m.queues {
		if len(queue) == 0 || m.limit > 0 && !complete && m.given[n] >= m.share {
			continue
		}
		if next < 0 || m.given[n] < m.given[next] {
			next = n
		}
	}
	return next
}
