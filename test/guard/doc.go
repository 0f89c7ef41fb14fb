// Package guard counts what a zkd process costs, by figures of the kernel that do not depend on how fast the machine
// is: system calls for a lot of pipelined requests, bytes that reach the disk for a durable write. Its tests fail when
// one of them gets worse than what zkd was built for. What can be counted from inside is guarded in the packages:
// allocations and syncs in server, memory of a znode in znode.
package guard
