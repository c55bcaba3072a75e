// The original is what read and wrote peers.json before bootstrap-peer: its record, its loading, its saving.
//
//	original read <file>                 prints the addresses as a JSON array
//	original write <file> <address> …    writes a list of them; of none, what Go writes for a nil slice
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Peer is the record as it was.
type Peer struct {
	Address string `json:"address"`
}

type server struct {
	peers []Peer
	file  string
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: original read|write <file> [address …]"))
	}
	s := server{file: os.Args[2]}
	switch os.Args[1] {
	case "read":
		if err := s.load(); err != nil {
			fail(err)
		}
		addresses := []string{}
		for _, peer := range s.peers {
			addresses = append(addresses, peer.Address)
		}
		_ = json.NewEncoder(os.Stdout).Encode(addresses)
	case "write":
		for _, address := range os.Args[3:] {
			s.peers = append(s.peers, Peer{Address: address})
		}
		if err := s.save(); err != nil {
			fail(err)
		}
	default:
		fail(fmt.Errorf("neither read nor write: %q", os.Args[1]))
	}
}

func (s *server) load() error {
	data, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &s.peers)
}

func (s *server) save() error {
	data, err := json.Marshal(s.peers)
	if err != nil {
		return err
	}
	return os.WriteFile(s.file, data, 0o644)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "original:", err)
	os.Exit(1)
}
