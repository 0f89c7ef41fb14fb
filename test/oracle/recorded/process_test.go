package recorded

import (
	"os/exec"
	"path/filepath"
	"testing"

	"zkd/test/oracle"
	"zkd/test/zkdserver"
)

// TestWitness kills a process again and again under load. What its witness wrote down is read while it grows.
func TestWitness(t *testing.T) {
	bin, file := filepath.Join(t.TempDir(), "zkd"), filepath.Join(t.TempDir(), "applied")
	if out, err := exec.Command("go", "build", "-tags", "witness", "-o", bin, "zkd/cmd/zkd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("ZKD_BIN", bin)
	t.Setenv("ZKD_WITNESS", file)
	ctx := within(t)
	s, err := zkdserver.Start(ctx, []string{"tickTime=500", "maxClientCnxns=0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	h, seq := oracle.NewHistory(), oracle.NewSequence()
	w := oracle.NewWitnessed(seq, "server 1", file)
	check := oracle.NewChecker(h, seq, oracle.Options{})
	load := startLoad(t, ctx, 4, Options{Servers: []string{s.Addr()}, History: h})
	for life := 1; life <= 4; life++ {
		if life > 1 {
			if err := s.Restart(ctx); err != nil {
				t.Fatal(err)
			}
		}
		advanceTo(t, ctx, check, oracle.Stats{Terms: life, Writes: 30 * life, Reads: 30 * life}, w.Read)
	}
	load.stop()
	if err := w.Read(); err != nil {
		t.Fatal(err)
	}
	if err := oracle.Error(check.Finish()); err != nil {
		t.Error(err)
	}
	t.Logf("%+v", check.Stats())
	for _, f := range check.Stats().Require(oracle.Stats{Terms: 4, Writes: 100, Reads: 100, Unknown: 1}) {
		t.Error(f)
	}
}
