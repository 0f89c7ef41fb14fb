package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// module writes a module with packages and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const head = "import \"testing\"\n"

// What go test hides is said: skips with their reason, at the end; and failures are shown as go test shows them.
func TestRun(t *testing.T) {
	dir := module(t, map[string]string{
		"good/good_test.go": "package good\n" + head + "func TestGood(t *testing.T) { t.Log(\"not shown\") }\n" +
			"func TestA(t *testing.T) { t.Skip(\"no ZooKeeper: make compat installs it\") }\n" +
			"func TestB(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { t.Log(\"x\"); t.Skip(\"no ZooKeeper: make compat installs it\") }) }\n",
		"bad/bad_test.go":       "package bad\n" + head + "func TestBad(t *testing.T) { t.Error(\"it is broken\") }\n",
		"panics/panics_test.go": "package panics\n" + head + "func TestPanics(t *testing.T) { panic(\"at the disco\") }\n",
		"broken/broken_test.go": "package broken\n" + head + "func TestBroken(t *testing.T) { undefined() }\n",
		"none/none.go":          "package none\n",
	})
	var out strings.Builder
	if code := run(nil, dir, &out); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		`(?m)^ok    m/good +\d+\.\ds$`, `bad_test.go:3: it is broken`, `(?m)^FAIL  m/bad `, `panic: at the disco`, `(?m)^FAIL  m/panics `, `undefined: undefined`,
		`\nskipped:\n  m/good: no ZooKeeper: make compat installs it \(TestA, TestB/sub\)\n\nfailed: m/bad, m/broken, m/panics\n\nFAIL: 1 packages passed, 3 failed, 2 tests skipped, in \d+s\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("it does not say %s:\n%s", want, out.String())
		}
	}
	for _, never := range []string{"not shown", "m/none", "{\""} {
		if strings.Contains(out.String(), never) {
			t.Errorf("it says %q:\n%s", never, out.String())
		}
	}
	out.Reset()
	if code := run([]string{"-run=Good", "./good"}, dir, &out); code != 0 || !regexp.MustCompile(`\nok: 1 packages passed, 0 failed, 0 tests skipped, in \d+s\n$`).MatchString(out.String()) {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

// Nobody waits for long without a word.
func TestProgress(t *testing.T) {
	var out strings.Builder
	began := time.Now()
	r := newReport(&out, began)
	r.progress(began.Add(sayEvery - 1))
	r.progress(began.Add(sayEvery))
	r.take(event{Action: "start", Package: "m/slow", Time: began})
	r.take(event{Action: "run", Package: "m/slow", Test: "TestFirst", Time: began.Add(time.Second)})
	r.take(event{Action: "run", Package: "m/slow", Test: "TestSecond", Time: began.Add(2 * time.Second)})
	r.progress(time.Now().Add(sayEvery).Add(time.Second))
	want := regexp.MustCompile(`^      go builds\n      m/slow +11\.\ds  TestSecond\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("it says\n%s", out.String())
	}
}
