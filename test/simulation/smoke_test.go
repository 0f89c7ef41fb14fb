package simulation

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"zkd/conf"
	"zkd/consensus/store"
	"zkd/server"
	"zkd/test/wire"
)

func TestSmoke(t *testing.T) {
	dir, _ := os.MkdirTemp("/dev/shm", "sim")
	defer os.RemoveAll(dir)
	real0 := time.Now()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(rand.New(rand.NewPCG(1, 1)))
		var list []conf.Server
		for id := 1; id <= 3; id++ {
			list = append(list, conf.Server{ID: int64(id), Addrs: []conf.PeerAddr{{Host: hostIP(id).String(), QuorumPort: 2888, ElectionPort: 3888}}})
		}
		var servers [4]*server.Server
		done := make(chan struct{})
		for id := 1; id <= 3; id++ {
			go func() {
				cfg := conf.Default()
				cfg.ClientAddr = address(id, 2181)
				cfg.DataDir = filepath.Join(dir, strconv.Itoa(id))
				cfg.DataLogDir = cfg.DataDir
				cfg.LogStore, cfg.MaxClientCnxns = "wal", 0
				cfg.ServerID = int64(id)
				cfg.TickTime, cfg.InitLimit, cfg.SyncLimit, cfg.PeerDialTimeout = 2000*time.Millisecond, 10, 5, time.Second
				cfg.Servers = list
				nic := n.attach(id)
				log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
				s, err := server.StartIn(context.Background(), cfg, log, server.World{Listen: nic.Listen, Dial: nic.Dial, Disk: &store.Disk{Write: func(string, int64, int) error { return nil }, Sync: func(_ string, do func() error) error { return do() }, SegmentSize: 1 << 20}})
				if err != nil {
					t.Error(err)
				}
				servers[id] = s
				done <- struct{}{}
			}()
		}
		began := time.Now()
		for range 3 {
			<-done
		}
		t.Log("up in", time.Since(began), time.Since(real0))
		client := n.attach(firstClient)
		nc, err := client.Dial(t.Context(), "tcp", address(2, 2181))
		if err != nil {
			t.Fatal(err)
		}
		c := wire.NewConn(nc)
		r, err := c.Connect(wire.ConnectRequest{TimeoutMs: 30000}, time.Minute)
		t.Log(r, err)
		for range 60 * 60 / 5 {
			time.Sleep(5 * time.Second)
			if err := c.Send(-2, wire.OpPing, nil); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.Next(time.Second); err != nil {
				t.Fatal(err)
			}
		}
		t.Log("an hour", time.Since(began))
		c.Close()
		for id := 1; id <= 3; id++ {
			if err := servers[id].Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}
		t.Log("down", time.Since(began))
	})
	t.Log("real", time.Since(real0))
}
