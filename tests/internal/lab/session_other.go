//go:build unix && !linux

package lab

// ProcessesOf returns no processes: only Linux tells them without a library. Elsewhere it is left to the CLI to end its
// plugins.
func ProcessesOf(int) []int { return nil }

// ProcessesWith returns no processes, as [ProcessesOf] does.
func ProcessesWith(string) []int { return nil }
