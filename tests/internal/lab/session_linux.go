package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ProcessesOf returns the processes of a session. The CLI puts plugins into groups of their own, but not into other
// sessions.
func ProcessesOf(session int) (pids []int) {
	return processes("stat", func(text string) bool {
		// The name of the program, in parentheses, may contain anything. State, parent, group and session follow it.
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		return len(fields) >= 4 && fields[0] != "Z" && fields[3] == strconv.Itoa(session)
	})
}

// ProcessesWith returns the processes that were started with a variable, NAME=value, in their environment.
func ProcessesWith(variable string) []int {
	return processes("environ", func(text string) bool {
		return slices.Contains(strings.Split(text, "\x00"), variable)
	})
}

// processes returns the processes whose file of that name in /proc is accepted.
func processes(name string, accepted func(text string) bool) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/" + name)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !accepted(string(text)) {
			continue // A file that cannot be read is that of another user, or of a process that has ended.
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
