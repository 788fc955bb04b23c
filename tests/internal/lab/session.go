//go:build unix

package lab

import "syscall"

// EndSession kills what is left of a session.
func EndSession(session int) {
	for _, pid := range ProcessesOf(session) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
