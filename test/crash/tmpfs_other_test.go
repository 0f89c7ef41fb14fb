//go:build !linux

package crash

import "testing"

func tmpfs(t *testing.T, _ string) string {
	t.Skip("needs Linux to mount a tmpfs")
	return ""
}
