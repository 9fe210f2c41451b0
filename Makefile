# The commands of a checkout. What they do is in npm scripts, in scripts/ and in cmd/quorate/src/local-cluster.ts.

.DEFAULT_GOAL := help
.PHONY: help build cluster cluster-stop cluster-clean demo test test-clients clean install node-version \
	soak sim sim-mutants model jepsen jepsen-all jepsen-mutants bench

help:
	@echo "make cluster        three nodes on this machine, SQL on 127.0.0.1:7431 to 7433"
	@echo "make cluster-stop   stop them, keep their data"
	@echo "make cluster-clean  stop them, remove their data"
	@echo "make demo           one node in memory, in the foreground"
	@echo "make build          install what is missing and compile"
	@echo "make test           build, then all tests"
	@echo "make test-clients   installs PostgreSQL's clients from Debian's packages and tests them"
	@echo "make sim SEEDS=n    simulated clusters with faults; SEED=x TRACE=1 shows one"
	@echo "make sim-mutants    the same with protections taken out: each must be noticed"
	@echo "make model          the commit protocol alone in five million random walks; HELP=1 says more"
	@echo "make model RAFT=1   every interleaving of a bounded Raft group"
	@echo "make soak           long tests on real processes: kills, power loss, pgbench"
	@echo "make jepsen         hostile checks on real processes; TEST=... NEMESIS=... TIME=60 NODES=5"
	@echo "make jepsen-all     all of them, one after the other"
	@echo "make bench          against PostgreSQL on this machine, in turn"
	@echo "make clean          remove what was compiled"

node-version:
	@command -v node >/dev/null || { echo "quorate: needs Node.js 20.19 or newer, none is installed" >&2; exit 1; }
	@node scripts/check-node.js

install: node-version
	@node scripts/install.js

build: install
	@npm run --silent build

cluster: build
	@node cmd/quorate/dist/local-cluster.js start

# Without a build: a cluster must be stoppable also while the sources do not compile.
cluster-stop: node-version
	@if [ -e cmd/quorate/dist/local-cluster.js ]; then node cmd/quorate/dist/local-cluster.js stop; \
	else echo "quorate: not built, so no cluster was started from here" >&2; exit 1; fi

cluster-clean: build
	@node cmd/quorate/dist/local-cluster.js clean

demo: build
	@cmd/quorate/bin/quorate.js demo

# AVA_FLAGS: for example --tap. TESTS: paths of compiled test files, instead of all.
# Tests of whole clusters as processes run one at a time: they send signals, and three nodes are load enough. They wait a lot: the
# others run beside them, on what they leave of the processors. What they say is told at the end.
# CPU: a file in which is noted what each test file took of the processors (see scripts/test-cpu.cjs).
AVA = npx --no-install ava $(AVA_FLAGS)
MEASURED = $(if $(CPU),CPU_FILE=$(abspath $(CPU)) NODE_OPTIONS="--require $(CURDIR)/scripts/test-cpu.cjs")
test: build
ifdef TESTS
	@$(AVA) $(TESTS)
else
	@node scripts/install.js examples || echo "quorate: the tests of the examples will be skipped" >&2
	@node scripts/install.js clients/orm || echo "quorate: the tests of drizzle, typeorm and prisma will be skipped" >&2
	@node scripts/bundle-tests.js
	@status=0; told=$$(mktemp -d); \
	$(MEASURED) $(AVA) --config ava.processes.config.js >"$$told/out" 2>"$$told/err" & \
	$(MEASURED) nice -n 10 $(AVA) --config ava.suite.config.js || status=1; \
	wait $$! || status=1; \
	cat "$$told/out"; cat "$$told/err" >&2; rm -r "$$told"; \
	$(if $(CPU),node scripts/test-cpu.cjs $(CPU);) exit $$status
endif

# Clients that come with Debian, not with npm. As root it installs those that are missing, else it says which; what cannot run is skipped.
# CLIENTS: names of packages, instead of all.
CLIENT_TESTS = 'clients/dist/debian/**'
test-clients: build
	@scripts/install-clients.sh $(CLIENTS) || echo "quorate: some clients are missing, their tests are skipped" >&2
	@$(AVA) --serial $(CLIENT_TESTS)

# SOAK: parts of the names of what to run, instead of all: see jepsen/src/soak/soak-cases.ts. Power loss wants root and xfsprogs.
soak: build
	@node jepsen/dist/soak/main.js $(SOAK)

clean:
	@rm -rf dist packages/*/dist cmd/*/dist cmd/*/lib clients/dist jepsen/dist bench/dist

# BENCH_FLAGS: see the head of bench/src/main.ts.
bench: build
	@node bench/dist/main.js $(BENCH_FLAGS)

# Hostile checks on real processes. TEST, NEMESIS (names, with commas), TIME in seconds, NODES, CONCURRENCY, SEED: see jepsen/README.md.
jepsen: build
	@node jepsen/dist/main.js

# Every workload, by default with a mix of faults.
jepsen-all: build
	@TEST=all node jepsen/dist/main.js

# Protections taken out of real nodes: what clients see must give each away. MUTANT=x: only this one.
jepsen-mutants: build
	@node jepsen/dist/run/planted.js

# SEEDS=n: so many seeds; SEED=x: only this one; TRACE=1: with all that happens in it.
sim: build
	@node packages/sim/dist/cluster/main.js

# Takes out one protection after the other: each must be noticed. SEEDS=n: at most so many seeds; MUTANT=x: only this one.
sim-mutants: build
	@node packages/sim/dist/cluster/mutants-main.js

# The commit protocol alone, in random walks. WALKS=n, SEED=x; WITHOUT=rule drops one; WALK=n TRACE=1 shows one; HELP=1 explains.
# RAFT=1: the Raft core alone, all that three replicas can do within two terms, two proposals and one crash.
model: build
ifdef RAFT
	@node --max-old-space-size=4096 packages/raft/dist/testing/model/main.js
else
	@node packages/sim/dist/model/main.js
endif
