// Package jute speaks ZooKeeper's wire format: the primitive encodings that
// the jute compiler emits (big-endian integers, length-prefixed strings and
// buffers), the request and reply records of zookeeper.jute, the opcodes of
// ZooDefs.OpCode and the error codes of KeeperException.Code.
//
// It works on byte slices only. Decoding aliases the frame it is given and
// allocates nothing but vectors; encoding appends to a slice of the caller.
// Framing a connection, deciding what a request means and keeping anything
// beyond the life of a frame are the business of package server.
package jute
