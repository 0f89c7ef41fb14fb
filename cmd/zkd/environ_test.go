package main

import "testing"

// What configures an image configures the commands that are run in it.
func TestCommandsInAnImage(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ZOO_CONF_DIR", dir)
	t.Setenv("ZOO_DATA_DIR", dir)
	t.Setenv("ZOO_MY_ID", "1")
	t.Setenv("ZOO_SERVERS", "server.1=127.0.0.1:1:2;127.0.0.1:3 server.2=127.0.0.1:4:5;127.0.0.1:6")
	var o memberOptions
	a, err := o.open()
	if err != nil || len(a.file) != 2 {
		t.Errorf("member: %+v, %v", a, err)
	}
	if code := run([]string{"recover"}); code != exitData { // there is a configuration, and no data
		t.Errorf("recover: exit code %d", code)
	}
}
