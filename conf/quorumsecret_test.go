package conf

import (
	"fmt"
	"strings"
	"testing"
)

func TestQuorumSecret(t *testing.T) {
	const secret = "correct horse battery"
	for _, tt := range []struct{ name, file, want string }{
		{name: "blanks around it", file: " \t" + secret + "\r\n"},
		{name: "shortest", file: "0123456789abcdef"},
		{name: "one byte short", file: "0123456789abcde\n", want: "zoo.cfg:8: zkd.quorum.secretFile: the secret has 15 bytes; at least 16 are needed"},
		{name: "blanks alone", file: " \n ", want: "zoo.cfg:8: zkd.quorum.secretFile: the file is empty"},
		{name: "unreadable", file: unreadable, want: "zoo.cfg:8: zkd.quorum.secretFile: the file cannot be read: permission denied"},
		{name: "missing", want: "zoo.cfg:8: zkd.quorum.secretFile: the file is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"zoo.cfg": threeServers + "zkd.quorum.secretFile=/s/key", "/d/myid": "1"}
			if tt.file != "" {
				files["/s/key"] = tt.file
			}
			l := testLoader(notYet, files)
			l.addFile("zoo.cfg")
			cfg, report, err := l.finish()
			if (err != nil) != (tt.want != "") || !strings.Contains(fmt.Sprint(err), tt.want) && tt.want != "" {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if all := fmt.Sprintf("%+v %s %v", cfg, report, err); strings.Contains(all, secret) {
				t.Errorf("the secret shows:\n%s", all)
			}
			if err == nil && cfg.QuorumSecret.Reveal() != strings.TrimSpace(tt.file) {
				t.Errorf("got %q", cfg.QuorumSecret.Reveal())
			}
		})
	}
	// The secret itself in the place of its file.
	l := testLoader(notYet, map[string]string{"zoo.cfg": base + "zkd.quorum.secretFile=" + secret})
	l.addFile("zoo.cfg")
	_, report, err := l.finish()
	if all := fmt.Sprintf("%s %v", report, err); err == nil || strings.Contains(all, secret) {
		t.Errorf("error %v shows:\n%s", err, all)
	}
}

func TestEnsembleMode(t *testing.T) {
	const limits = "initLimit=5\nsyncLimit=2\n"
	for text, want := range map[string]bool{
		base:                    false,
		base + "server.1=a:1:2": false,
		threeServers:            true,
		base + limits + "standaloneEnabled=false\nserver.1=a:1:2": true,
		base + limits + "server.1=a:1:2\nserver.2=b:1:2:observer": true,
	} {
		l := testLoader(notYet, map[string]string{"zoo.cfg": text, "/d/myid": "1"})
		l.addFile("zoo.cfg")
		cfg, _, err := l.finish()
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if cfg.EnsembleMode() != want {
			t.Errorf("%q: ensemble mode %v", text, !want)
		}
	}
}

// Who only asks the servers of an ensemble is none of them.
func TestLoadOutside(t *testing.T) {
	for text, want := range map[string]string{threeServers: "", base: ":2181"} {
		l := testLoader(notYet, map[string]string{"zoo.cfg": text})
		l.outside = true
		l.addFile("zoo.cfg")
		cfg, report, err := l.finish()
		if err != nil || cfg.ClientAddr != want {
			t.Errorf("%q: %+v, %v\n%s", text, cfg, err, report)
		}
	}
}
