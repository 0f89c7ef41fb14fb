// A module of its own, so that the server's module does not depend on a client.
module gozk

go 1.26.0

require github.com/go-zookeeper/zk v1.0.4
