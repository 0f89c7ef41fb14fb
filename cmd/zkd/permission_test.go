package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// Who may not use a data directory is told as whom.
func TestPermissionNamesTheUser(t *testing.T) {
	denied := &fs.PathError{Op: "lstat", Path: "/x/raft", Err: fs.ErrPermission}
	err := whose(denied)
	if !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), fmt.Sprintf("lstat /x/raft: permission denied (as uid %d, gid %d; ", os.Geteuid(), os.Getegid())) {
		t.Error(err)
	}
	if other := errors.New("full"); whose(other) != other {
		t.Errorf("another error: %v", whose(other))
	}
}
