package conf

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// TestAllKeysKnown holds the table against the names of the reference.
func TestAllKeysKnown(t *testing.T) {
	f, err := os.Open("testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := make(map[string]bool)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		k := lookup(lines.Text())
		if k == nil {
			t.Errorf("%s is not known", lines.Text())
			continue
		}
		seen[k.Name] = true
	}
	for _, k := range Keys() {
		if !seen[k.Name] && !k.hush {
			t.Errorf("%s is in the table and not in testdata/keys.txt", k.Name)
		}
	}
}

func TestKeyTableIsComplete(t *testing.T) {
	for _, k := range Keys() {
		switch {
		case k.Stance == Unknown || k.Stance == Overridden:
			t.Errorf("%s has the stance %s", k.Name, k.Stance)
		case k.Stance != Honoured && k.Reason == "":
			t.Errorf("%s is %s without a reason", k.Name, k.Stance)
		case k.Stance == Refused && k.refuse == nil:
			t.Errorf("%s is refused by name only", k.Name)
		case k.Type.Allowed == "":
			t.Errorf("%s does not say what is allowed", k.Name)
		case k.Doc == "" && !k.hush:
			t.Errorf("%s has no doc", k.Name)
		}
		if _, err := k.Type.parse(k.Default, true); k.Default != "" && err != nil {
			t.Errorf("%s: default %s: %v", k.Name, k.Default, err)
		}
	}
	for dead, live := range deadNames {
		if lookup(dead) != nil || lookup(live) == nil {
			t.Errorf("dead name %s (known: %v) points at %s (known: %v)", dead, lookup(dead) != nil, live, lookup(live) != nil)
		}
	}
}

func TestNearest(t *testing.T) {
	for in, want := range map[string]string{
		"ticktime": "tickTime", "dataDirs": "dataDir", "maxClientCnxs": "maxClientCnxns", "autopurge.purgeIntervall": "autopurge.purgeInterval",
		"4lw.command.whitelist": "4lw.commands.whitelist", "completely.other.thing": "", "": "", strings.Repeat("x", 500): "",
	} {
		if got := nearest(in); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNumbersAsJavaReadsThem(t *testing.T) {
	tests := []struct {
		text   string
		strict bool
		want   int64
		ok     bool
	}{
		{"5", true, 5, true}, {"+5", true, 5, true}, {"-5", true, -5, true}, {"010", true, 10, true},
		{"0x10", true, 0, false}, {"", true, 0, false}, {"1_000", true, 0, false}, {"5 ", true, 0, false}, {"1e3", true, 0, false},
		{"0x10", false, 16, true}, {"#ff", false, 255, true}, {"010", false, 8, true}, {"0", false, 0, true}, {"-0x10", false, -16, true},
		{"+7", false, 7, true}, {"1_000", false, 0, false}, {"0x", false, 0, false}, {"--1", false, 0, false}, {"08", false, 0, false},
		{"9223372036854775807", false, 1<<63 - 1, true}, {"9223372036854775808", false, 0, false}, {"-9223372036854775808", false, -1 << 63, true},
	}
	for _, tt := range tests {
		got, err := parseWhole(tt.text, tt.strict)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("parseWhole(%q, strict %v) = %d, %v; want %d, ok %v", tt.text, tt.strict, got, err, tt.want, tt.ok)
		}
	}
}
