package lab

import (
	"net/http"
	"strings"
)

// refuseTags refuses tags with the same key in different case, which AWS does and moto does not.
func (f *front) refuseTags(w http.ResponseWriter, call Call) bool {
	seen := map[string]bool{}
	for name, values := range call.Params {
		if !strings.HasPrefix(name, "Tags.member.") || !strings.HasSuffix(name, ".Key") {
			continue
		}
		key := strings.ToLower(values[0])
		if seen[key] {
			writeError(w, "iam", http.StatusBadRequest, "InvalidInput",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.")
			return true
		}
		seen[key] = true
	}
	return false
}
