package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"zkd/conf"
	"zkd/server"
)

// explainListen makes of an address that cannot be listened on a message that
// names what asked for it, and a way out. Other errors stay as they are.
func explainListen(err error, cfg *conf.Config, report *conf.Report) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "listen" {
		return err
	}
	code, key, change := exitError, "clientPort", "set another clientPort"
	self := cfg.Self()
	switch {
	case server.IsPeerPortError(err):
		code = exitPeers
		key, change = fmt.Sprintf("server.%d", cfg.ServerID), "change that line on all servers"
	case self != nil && self.Client.IsSet():
		key, change = fmt.Sprintf("server.%d", cfg.ServerID), "give it another port behind the semicolon"
	case cfg.File == "":
		change = "choose another port: zkd --port N"
	}
	if where := report.Origin(key); where != "" {
		key += " (" + where + ")"
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%s: another process listens on %s already; stop that one, or %s: %w", key, op.Addr, change, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		err = fmt.Errorf("%s: %s is no address of this machine: %w", key, op.Addr, err)
	case errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("%s: %s needs a privilege, as ports below 1024 do; %s: %w", key, op.Addr, change, err)
	default:
		err = fmt.Errorf("%s: %w", key, err)
	}
	return &exitCode{code, err}
}
