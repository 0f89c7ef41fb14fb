package conf

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseServer(t *testing.T) {
	one := func(host string) []PeerAddr { return []PeerAddr{{host, 2888, 3888}} }
	tests := []struct {
		value, canonical string
		want             Server
	}{
		{"zk1:2888:3888", "zk1:2888:3888:participant", Server{Addrs: one("zk1")}},
		{"zk1:2888:3888:OBSERVER", "zk1:2888:3888:observer", Server{Addrs: one("zk1"), Observer: true}},
		{"zk1:2888:3888;2181", "zk1:2888:3888:participant;0.0.0.0:2181", Server{Addrs: one("zk1"), Client: HostPort{"0.0.0.0", 2181}}},
		{"10.0.0.1:2888:3888:participant;10.0.0.1:2181", "10.0.0.1:2888:3888:participant;10.0.0.1:2181",
			Server{Addrs: one("10.0.0.1"), Client: HostPort{"10.0.0.1", 2181}}},
		{"[2001:db8::1]:2888:3888;[::1]:2181", "[2001:db8::1]:2888:3888:participant;[::1]:2181",
			Server{Addrs: one("2001:db8::1"), Client: HostPort{"::1", 2181}}},
		{"a:1:2|b:3:4", "a:1:2|b:3:4:participant", Server{Addrs: []PeerAddr{{"a", 1, 2}, {"b", 3, 4}}}},
		{"a:1:2:observer|b:3:4:observer;5", "a:1:2|b:3:4:observer;0.0.0.0:5",
			Server{Addrs: []PeerAddr{{"a", 1, 2}, {"b", 3, 4}}, Observer: true, Client: HostPort{"0.0.0.0", 5}}},
		{"a:1:2;3;4", "a:1:2:participant;0.0.0.0:3;0.0.0.0:4",
			Server{Addrs: []PeerAddr{{"a", 1, 2}}, Client: HostPort{"0.0.0.0", 3}, Secure: HostPort{"0.0.0.0", 4}}},
		{"a:1:2;;h:1237", "a:1:2:participant;;h:1237", Server{Addrs: []PeerAddr{{"a", 1, 2}}, Secure: HostPort{"h", 1237}}},
		{" a_b.c : 1 : 2 ; 3", "a_b.c:1:2:participant;0.0.0.0:3", Server{Addrs: []PeerAddr{{"a_b.c", 1, 2}}, Client: HostPort{"0.0.0.0", 3}}},
	}
	for _, tt := range tests {
		tt.want.ID = 7
		got, err := ParseServer("server.7", tt.value)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v; want %+v", tt.value, got, err, tt.want)
			continue
		}
		if got.String() != tt.canonical {
			t.Errorf("%s: prints %s, want %s", tt.value, got, tt.canonical)
		}
		if again, err := ParseServer("server.7", got.String()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: the canonical form reads back as %+v, %v", tt.value, again, err)
		}
	}
}

func TestParseServerRefuses(t *testing.T) {
	const form = "does not have the form server_config or server_config;client_config"
	tests := []struct{ key, value, want string }{
		{"server.1", "", form},
		{"server.1", "h", form},
		{"server.1", "h:2888", form},
		{"server.1", "h:1:2:participant:5", form},
		{"server.1", "h:1:2;", form},
		{"server.1", "h:1:2;3;", form},
		{"server.1", "h:1:2;;", form},
		{"server.1", "h:1:2;3;4;5", form},
		{"server.1", "h:1:2;a:b:3", form},
		{"server.1", "h:1:2|", form},
		{"server.1", "[::1:1:2", form},
		{"server.1", "h:abc:3888", "bad port abc"},
		{"server.1", "h:2888:", "bad port"},
		{"server.1", "h:0:3888", "bad port 0"},
		{"server.1", "h:2888:65536", "bad port 65536"},
		{"server.1", "h:2888:3888;x", "bad port x"},
		{"server.1", "h:2888:2888", "quorum and election port must be different"},
		{"server.1", "h:1:2:voter", "Unrecognised peertype: voter"},
		{"server.1", "a:1:2:participant|b:1:2:observer", "different roles"},
		{"server.1", ":1:2", "no valid host name"},
		{"server.1", "a b:1:2", "no valid host name"},
		{"server.1", "[1.2.3.4]:1:2", "no IPv6 address"},
		{"server.x", "h:1:2", "x is not a number"},
		{"server.", "h:1:2", "is not a number"},
		{"server.-1", "h:1:2", "outside 0 to 254"},
		{"server.256", "h:1:2", "outside 0 to 254"},
		{"server.300", "h:1:2", "outside 0 to 254"},
	}
	for _, tt := range tests {
		if s, err := ParseServer(tt.key, tt.value); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%s: got %+v, error %v; want an error with %q", tt.key, tt.value, s, err, tt.want)
		}
	}
}

func TestListenAddress(t *testing.T) {
	for in, want := range map[HostPort]string{
		{}: "", {"", 1}: ":1", {"0.0.0.0", 1}: ":1", {"::", 1}: ":1", {"h", 1}: "h:1", {"::1", 1}: "[::1]:1",
	} {
		if got := in.Listen(); got != want {
			t.Errorf("%+v listens on %q, want %q", in, got, want)
		}
	}
}
