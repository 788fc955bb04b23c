package lab

import (
	"os/exec"
	"syscall"
)

// endWithParent has the process end when this one does, however that ends.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
