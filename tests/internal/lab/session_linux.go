package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ProcessesOf returns the processes of a session. The CLI puts plugins into groups of their own, but not into other
// sessions.
func ProcessesOf(session int) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended.
		}
		// The name of the program, in parentheses, may contain anything. State, parent, group and session follow it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 4 || fields[0] == "Z" || fields[3] != strconv.Itoa(session) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
