package soak

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Violation is a promise that was broken.
type Violation struct {
	At    time.Duration
	Round int
	Check Check
	Text  string
}

// recorder is the testing.TB that the harness complains to. It notes every complaint under the check that is under way,
// and takes what is to be cleaned up after a round together, so that a run of hours holds no more than one of minutes.
type recorder struct {
	testing.TB
	clock func() time.Duration

	mu         sync.Mutex
	round      int
	check      Check
	violations []Violation
	scoped     bool
	cleanups   []func()
}

// during says which check the complaints from now on belong to.
func (r *recorder) during(c Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check = c
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, Violation{r.clock(), r.round, r.check, strings.TrimSpace(text)})
}

// broken is what was noted so far.
func (r *recorder) broken() []Violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Violation(nil), r.violations...)
}

// scope runs f; what is to be cleaned up is cleaned up when it returns.
func (r *recorder) scope(round int, f func()) {
	r.mu.Lock()
	r.round, r.scoped = round, true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		todo := r.cleanups
		r.cleanups, r.scoped = nil, false
		r.mu.Unlock()
		for i := len(todo) - 1; i >= 0; i-- {
			todo[i]()
		}
	}()
	f()
}

// Cleanup implements testing.TB.
func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scoped {
		r.cleanups = append(r.cleanups, f)
		return
	}
	r.TB.Cleanup(f)
}

// Error implements testing.TB, as the next three do.
func (r *recorder) Error(args ...any) {
	r.TB.Helper()
	r.note(fmt.Sprintln(args...))
	r.TB.Error(args...)
}

func (r *recorder) Errorf(format string, args ...any) {
	r.TB.Helper()
	r.note(fmt.Sprintf(format, args...))
	r.TB.Errorf(format, args...)
}

func (r *recorder) Fatal(args ...any) {
	r.TB.Helper()
	r.note(fmt.Sprintln(args...))
	r.TB.Fatal(args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.TB.Helper()
	r.note(fmt.Sprintf(format, args...))
	r.TB.Fatalf(format, args...)
}
