package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// whose adds to an error of a data directory that may not be used who this
// process is: in a container that is not the user who looks at the directory.
func whose(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w (as uid %d, gid %d; dataDir and dataLogDir, with all in them, must be that user's: chown -R %[2]d:%[3]d)",
		err, os.Geteuid(), os.Getegid())
}
