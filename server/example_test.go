package server_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"zkd/conf"
	"zkd/server"
)

// A server inside of a program, as a test of something that needs ZooKeeper
// starts it: its data in a folder of its own, on a port that is free.
func ExampleStart() {
	dir, err := os.MkdirTemp("", "zkd")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	cfg := conf.Default()
	cfg.DataDir = dir
	cfg.ClientAddr = "127.0.0.1:0"
	s, err := server.Start(context.Background(), cfg, nil) // nil: no log
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a ZooKeeper client may connect to", s.Addr().Network(), "port", s.Port() != 0)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: a ZooKeeper client may connect to tcp port true
}

// A server with the zoo.cfg of ZooKeeper. The report says what became of each key.
func ExampleStart_zooCfg() {
	cfg, report, err := conf.Load("/etc/zookeeper/zoo.cfg", nil)
	if err != nil {
		log.Fatal(err) // names file, line and key
	}
	log.Print(report)
	s, err := server.Start(context.Background(), cfg, nil)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(<-s.Failed()) // it ends by itself only if it could no longer be right
}
