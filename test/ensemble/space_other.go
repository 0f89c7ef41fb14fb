//go:build !linux

package ensemble

import "errors"

var errLinuxOnly = errors.New("only Linux has it")

func newSpace(int) (*Space, error) { return &Space{}, errLinuxOnly }

func onOwnThread(int, func() error) error { return errLinuxOnly }

func mountless(int) (int, error) { return -1, errLinuxOnly }
