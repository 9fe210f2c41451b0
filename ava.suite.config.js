/** What `make test` runs beside whole clusters of processes: see `scripts/bundle-tests.js`. */

import { availableParallelism } from "node:os";

/** Those that take longest are begun first: at the end nobody waits for one of them. */
const first = [
	"packages/sim/cluster/faults",
	"packages/server/damage",
	"packages/sim/cluster/sessions",
	"packages/sim/cluster/sql",
	"packages/sim/cluster/graceful-stop",
	"packages/sim/cluster/validation",
	"packages/raft/model",
	"packages/embedded/cluster",
	"packages/placement/scheduler/plan",
	"cmd/quorate/main",
	"cmd/quorate/packed",
	"packages/sql/conformance",
	"packages/sim/cluster/mutations",
	"packages/sql/ddl/validation",
	"packages/sim/cluster/backup",
].map((name) => `/${name}.test.js`);

const place = (file) => {
	const at = first.findIndex((name) => file.endsWith(name));
	return at < 0 ? first.length : at;
};

export default {
	files: ["dist/suite/**/*.test.js", "clients/orm/*.test.js"],
	// Some wait for the timers of real clusters.
	concurrency: availableParallelism() + 1,
	require: ["./scripts/test-stacks.cjs"],
	sortTestFiles: (a, b) => place(a) - place(b),
	timeout: "30m",
};
