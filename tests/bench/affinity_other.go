//go:build !linux

package main

import "errors"

// leaveCore fails: without it, and without the memory of a process, which only Linux tells, the figures mean little.
func leaveCore(int) (func(), error) { return nil, errors.New("the benchmark runs on Linux only") }

func onCore(_ int, f func() error) error { return f() }
