package store

import "encoding/json"

// The names of the two parts of an access key, as the AWS CLI and SDKs read them from the environment.
// Source: AWS SDKs and Tools Reference Guide, "AWS access keys".
const (
	accessKeyID     = "AWS_ACCESS_KEY_ID"
	secretAccessKey = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // A name, and no secret.
)

// PairJSON returns an access key as the JSON text that a secret holds.
func PairJSON(id, secret string) (string, error) {
	text, err := json.Marshal(map[string]string{accessKeyID: id, secretAccessKey: secret})
	return string(text), err
}

// ParameterNames returns the names of the parameters that hold the two parts of an access key under a path.
func ParameterNames(path string) (id, secret string) {
	return path + "/" + accessKeyID, path + "/" + secretAccessKey
}
