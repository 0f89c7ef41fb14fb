package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"zkd/conf"
	"zkd/server"
)

// serverOptions are the flags of commands that read a configuration.
type serverOptions struct {
	config     string
	defines    []string
	port, data string // of a server without a configuration
	logLevel   string
}

// environment is what ZooKeeper's start scripts and images take into account.
func environment() conf.Environ { return os.Environ() }

// properties are the -D items of the command line. Later ones win.
func (o *serverOptions) properties() (props []conf.Property) {
	direct := func(p conf.Property) {
		p.Direct = true
		props = append(props, p)
	}
	for _, d := range o.defines {
		direct(conf.ParseProperty(d, "-D"))
	}
	if o.port != "" {
		direct(conf.Property{Key: "clientPort", Value: o.port, Source: "--port"})
	}
	if o.data != "" {
		direct(conf.Property{Key: "dataDir", Value: o.data, Source: "--data"})
	}
	return props
}

// stopTime is how long a server that was told to stop may take for it.
const stopTime = 4 * time.Second

// serve runs a server until it is told to stop, or fails.
func serve(ctx context.Context, o serverOptions) error {
	log, err := newLogger(o.logLevel)
	if err != nil {
		return err
	}
	cfg, report, err := o.load(log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	defer stop()
	tune()
	limitMemory()
	err = untilSettled(ctx, log, func(ctx context.Context) error { return runServer(ctx, cfg, log) })
	return explainListen(err, cfg, report)
}

// endings are the signals that a server stops at in good order. A terminal that
// is closed sends SIGHUP; as with a JVM, nohup keeps the server from it.
func endings() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// runServer runs one server until it is told to stop, or fails.
func runServer(ctx context.Context, cfg *conf.Config, log *slog.Logger) error {
	w, err := world()
	if err != nil {
		return err
	}
	s, err := unlessTold(ctx, func() (*server.Server, error) { return server.StartIn(ctx, cfg, log, w) })
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting
		}
		switch {
		case server.IsDataError(err):
			return &exitCode{exitData, whose(err)}
		case server.IsPeerPortError(err):
			return &exitCode{exitPeers, err}
		}
		return err
	}
	fmt.Printf("zkd %s serves ZooKeeper clients on %s, data in %s; connect: zkCli.sh -server %s\n",
		server.Version, s.Addr(), s.DataDir(), s.Reachable())
	select {
	case err = <-s.Failed():
	case <-ctx.Done():
		log.Info("stopping", "why", context.Cause(ctx))
	}
	down, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return errors.Join(err, s.Shutdown(down))
}

// unlessTold starts a server. When ctx ends it does not wait for one that hangs
// with its disk, or loads a large snapshot: the process ends, which does no more
// harm there than a crash, and nobody was promised anything yet.
func unlessTold(ctx context.Context, start func() (*server.Server, error)) (*server.Server, error) {
	started := make(chan struct{})
	var now *server.Server
	var failed error
	go func() {
		defer close(started)
		now, failed = start()
	}()
	select {
	case <-started:
		return now, failed
	case <-ctx.Done():
	}
	select {
	case <-started:
		return now, failed
	case <-time.After(stopTime):
		return nil, ctx.Err()
	}
}

// load reads the configuration of a server and logs what there is to say about
// it, also when it cannot be used.
func (o *serverOptions) load(log *slog.Logger) (*conf.Config, *conf.Report, error) {
	for flag, key := range map[string]string{o.port: "--port: set clientPort", o.data: "--data: set dataDir"} {
		if flag != "" && o.config != "" {
			return nil, nil, &exitCode{exitConfig, fmt.Errorf("a server with a zoo.cfg takes no %s in %s", key, o.config)}
		}
	}
	if o.port == "0" {
		return nil, nil, &exitCode{exitConfig, errors.New("--port 0: clients have to know the port; 2181 is the usual one")}
	}
	cfg, report, err := environment().Load(o.config, o.properties())
	report.Log(log)
	if err != nil {
		return nil, nil, err
	}
	return cfg, report, nil
}

func newLogger(level string) (*slog.Logger, error) {
	var l slog.Level
	if level != "" && l.UnmarshalText([]byte(level)) != nil {
		return nil, &exitCode{exitConfig, fmt.Errorf("--log-level %s: not debug, info, warn or error", level)}
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
