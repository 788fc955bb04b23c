package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// leaveCore keeps this process from running on a core, until the function that it returns is called. With one core, it
// does nothing.
func leaveCore(core int) (restore func(), err error) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("get the cores of this process: %w", err)
	}
	rest := before
	rest.Clear(core)
	if rest.Count() == 0 {
		return func() {}, nil
	}
	if err := eachThread(&rest); err != nil {
		return nil, err
	}
	return func() { _ = eachThread(&before) }, nil
}

// eachThread sets the cores of each thread of this process. Threads that are made later have those of their maker.
func eachThread(cores *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		// It may have ended.
		if err := unix.SchedSetaffinity(id, cores); err != nil && err != unix.ESRCH {
			return fmt.Errorf("set the cores of a thread: %w", err)
		}
	}
	return nil
}

// onCore has f start a process that runs on one core only.
func onCore(core int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("get the cores of this thread: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("set the core of this thread: %w", err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return f()
}
