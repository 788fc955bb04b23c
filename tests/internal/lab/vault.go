package lab

import (
	"encoding/json"
	"net/http"
	"strings"
)

// SecretsProvider is the secrets provider of stacks, which has Vault encrypt the key of a stack's secrets. To derive a
// key from a passphrase, as the CLI does otherwise, costs each command a third of its time.
const SecretsProvider = "hashivault://lab"

// vaultPath is where the lab serves Vault.
const vaultPath = "/v1/transit/"

// serveVault is the transit engine of Vault, as far as the CLI calls it. Its ciphertexts are the plaintexts: they hold
// the keys of the stacks of tests, and any lab can read them.
func serveVault(w http.ResponseWriter, r *http.Request) {
	const prefix = "vault:v1:"
	var asked, answer struct {
		Plaintext  string `json:"plaintext,omitempty"`
		Ciphertext string `json:"ciphertext,omitempty"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, vaultPath+"encrypt/") {
		answer.Ciphertext = prefix + asked.Plaintext
	} else {
		answer.Plaintext = strings.TrimPrefix(asked.Ciphertext, prefix)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": answer})
}
