package lab

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// SecretsProvider is the secrets provider of stacks, which has Vault encrypt the key of a stack's secrets. To derive a
// key from a passphrase, as the CLI does otherwise, costs each command a third of its time.
const SecretsProvider = "hashivault://lab"

// vaultPath is where the lab serves Vault.
const vaultPath = "/v1/transit/"

// vaultPrefix begins each ciphertext of Vault.
const vaultPrefix = "vault:v1:"

// DecryptKey returns the key of a stack's secrets from its ciphertext, as the lab's Vault does.
func DecryptKey(ciphertext []byte) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(string(ciphertext), vaultPrefix))
}

// serveVault is the transit engine of Vault, as far as the CLI calls it. Its ciphertexts are the plaintexts: they hold
// the keys of the stacks of tests, and any lab can read them.
func serveVault(w http.ResponseWriter, r *http.Request) {
	var asked, answer struct {
		Plaintext  string `json:"plaintext,omitempty"`
		Ciphertext string `json:"ciphertext,omitempty"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, vaultPath+"encrypt/") {
		answer.Ciphertext = vaultPrefix + asked.Plaintext
	} else {
		answer.Plaintext = strings.TrimPrefix(asked.Ciphertext, vaultPrefix)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": answer})
}
