package main

import (
	"crypto/rand"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
)

func newKey(keyType string) (crypto.PrivKey, error) {
	types := map[string]int{
		"ed25519":   crypto.Ed25519,
		"secp256k1": crypto.Secp256k1,
		"rsa":       crypto.RSA,
		"ecdsa":     crypto.ECDSA,
	}
	number, known := types[keyType]
	if !known {
		return nil, fmt.Errorf("no key type %q", keyType)
	}
	// 2048 is of RSA only.
	key, _, err := crypto.GenerateKeyPairWithReader(number, 2048, rand.Reader)
	return key, err
}
