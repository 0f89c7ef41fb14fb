# zkd. `make help` lists the targets; each says what it is for.

VERSION  = $(shell sed -n 's/^const Version = "\(.*\)"$$/\1/p' server/version.go)
FUZZTIME ?= 30s

.PHONY: prove mutants help build test quick race lint fuzz compat corpus differential crash operations ensemble kills ensemble-long overload simulate soak bench bench-quick bench-cluster lag curator-cluster docker clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

build: ## build bin/zkd, static
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/zkd ./cmd/zkd

test: ## all tests; what is skipped, and why, is in the last lines
	go run ./test/run

quick: ## the quick look: no suite that runs servers as processes
	go test -short ./...

race: ## the tests of the server and what it is made of, under the race detector
	go test -race ./cmd/... ./conf/... ./consensus/... ./digest/... ./proto/... ./server/... ./session/... ./watch/... ./znode/...

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

fuzz: ## every fuzz target for FUZZTIME
	./test/fuzz.sh $(FUZZTIME)

PACKAGES ?= ./test/...

compat: ## install real ZooKeepers and stock clients, then run all that compares with them or uses them
	./test/realzk/install.sh
	./test/clients/install.sh
	CLIENTS_REQUIRE=1 go run ./test/run -timeout=15m $(PACKAGES)

corpus: ## the compatibility corpus only, against what is installed
	go test -count=1 ./test/compat

DIFFTIME ?= 1h

differential: ## random requests to zkd and ZooKeeper at once for DIFFTIME, to one server and to three, with restarts
	./test/realzk/install.sh
	go test -count=1 -timeout 0 -v -run Long ./test/diff -diff.for $(DIFFTIME)

crash: ## kill -9, full disks and damaged files
	go test -count=1 ./test/crash

operations: ## docs/operations.md, its commands as they stand there
	go test -count=1 -v ./test/operations

ensemble: ## ensembles of real processes: killed, stopped, cut off, replaced, damaged
	go test -count=1 -timeout 15m -v ./test/ensemble

KILLS ?= 500

kills: ## KILLS leaders killed under load; no client of the others may notice
	go test -count=1 -timeout 2h -v -run 'TestKillLeader$$' ./test/ensemble -kills $(KILLS)

ensemble-long: ## ensembles at length: more kills, longer pauses, 500,000 writes missed
	go test -count=1 -timeout 120m -v ./test/ensemble -long
	go test -count=1 -timeout 15m -v ./test/slow -long
	CLIENTS_LONG=1 go test -count=1 -p 1 -timeout 60m -run Ensemble ./test/clients/...

overload: ## floods, giant lists, reconnects, readers that do not read, at full size: overload.md
	go test -count=1 -timeout 60m -v ./test/overload -long -report $(CURDIR)/overload.md

SOAK     ?= 1h
SOAKDIR  ?= soak-report
SOAKSEED ?= 0

soak: ## random faults on real processes for SOAK=1h; SOAKSEED repeats one; the page is SOAKDIR/index.html
	go test -count=1 -timeout 0 -v -run '^TestSoak$$' ./test/soak -soak.for $(SOAK) -soak.seed $(SOAKSEED) -soak.out $(abspath $(SOAKDIR))

prove: ## some minutes of simulation, mutants and random faults, from fresh seeds
	$(MAKE) -s simulate SIMFLAGS='-sim.for 4m' SEEDS=10000
	go test -count=1 -timeout 15m -v ./test/mutants -mutants.quick
	go test -count=1 -timeout 15m -v -run '^TestSoak$$' ./test/soak -soak.for 90s -soak.faults 30s

mutants: ## deliberate bugs, one at a time: which test notices each, and how fast
	go test -count=1 -timeout 30m -v ./test/mutants -mutants

SEEDS ?= 500
simulate: ## SEEDS random runs of simulated ensembles in virtual time, in two processes
	go test -count=1 -timeout 0 -v -run '^TestMany$$' ./test/simulation -sim.workers 2 -sim.seeds $(SEEDS) $(SIMFLAGS)

bench: ## zkd beside a real ZooKeeper and the floor, one server of each: bench.md, bench.json, bench-charts
	./test/realzk/install.sh
	go run ./test/bench -full -md bench.md -json bench.json -charts bench-charts

bench-cluster: ## zkd beside a real ZooKeeper, three servers of each: bench-cluster.md, bench-cluster.json
	./test/realzk/install.sh
	go run ./test/bench -ensemble -md bench-cluster.md -json bench-cluster.json

lag: ## how late a write on one of three servers is read on another, zkd beside a real ZooKeeper
	./test/realzk/install.sh
	go run ./test/bench -ensemble -parts lag

curator-cluster: ## all tests of Curator's that start and kill ensembles of their own
	./test/clients/install.sh java-clients
	CLIENTS_REQUIRE=1 CLIENTS_LONG=1 go test -count=1 -timeout 40m -v -run '^TestOwnCuratorCluster$$' ./test/clients/java

bench-quick: ## one server of each, one short round of throughput only
	./test/realzk/install.sh
	go run ./test/bench -quick

docker: ## build the container image
	docker build -t zkd:$(VERSION) .

clean: ## remove what was built
	rm -rf bin soak-report overload.md bench.md bench.json bench-charts bench-cluster.md bench-cluster.json
