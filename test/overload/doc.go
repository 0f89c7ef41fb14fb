// Package overload does to real servers what no client should: floods of pipelined writes and huge multis, lists of
// a million children, thousands of reconnects at once, readers and watchers that never read, a million watches,
// handshakes that stall, frames that are none. Each is done to a server alone and to the leader of an ensemble, and
// while it lasts honest clients go about their work, from a process of their own. Asked is that
//
//   - the server's memory (the kernel's peak of its resident set) stays under the limit that it was given,
//   - no honest client is refused, disconnected or left without an answer, and how long they wait is reported,
//     before and during it,
//   - in an ensemble, the other servers go on as before; whether the leader stays is reported,
//   - when it is over, everything is as before by itself: latency, connections, descriptors, goroutines.
//
// Waiting times are those of a shared machine: they are reported, and asserted only where no noise could explain them.
// With -long everything has its full size; -report writes the figures as a table. OVERLOAD_AGAINST=zookeeper-3.9 (any
// release line that test/realzk finds) does the same to a real ZooKeeper whose heap is the limit, and asserts nothing.
package overload
