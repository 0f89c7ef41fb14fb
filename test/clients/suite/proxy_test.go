package suite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func TestProxy(t *testing.T) {
	restarts := 0
	p := startProxy(t, echo(t)+","+echo(t), func(context.Context) error { restarts++; return nil })
	first, second, _ := strings.Cut(p.Addr(), ",")
	dial := func(addr string) (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(Patience))
		return c, bufio.NewReader(c)
	}
	say := func(c net.Conn, r *bufio.Reader, line string) (string, error) {
		fmt.Fprintln(c, line)
		return r.ReadString('\n')
	}
	want := func(c net.Conn, r *bufio.Reader, line, answer string) {
		t.Helper()
		if got, err := say(c, r, line); err != nil || got != answer+"\n" {
			t.Fatalf("%s: got %q %v, want %q", line, got, err, answer)
		}
	}
	wantClosed := func(c net.Conn, r *bufio.Reader) {
		t.Helper()
		if got, err := say(c, r, "anybody?"); err == nil {
			t.Fatalf("got %q through a closed proxy", got)
		}
	}

	orders, answers := dial(p.Control())
	c, r := dial(first)
	want(c, r, "hello", "hello")
	other, otherR := dial(second)
	want(other, otherR, "hello", "hello")
	want(orders, answers, "drop", "ok")
	wantClosed(c, r)
	wantClosed(other, otherR)
	c, r = dial(first)
	want(c, r, "again", "again")
	want(orders, answers, "cut", "ok")
	wantClosed(c, r)
	wantClosed(dial(second))
	want(orders, answers, "open", "ok")
	c, r = dial(second)
	want(c, r, "back", "back")
	want(orders, answers, "restart", "ok")
	if restarts != 1 {
		t.Error("nobody was told to restart the server")
	}
	want(orders, answers, "explode", `no order "explode"`)
}
