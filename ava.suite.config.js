/** What `make test` runs beside whole clusters of processes: see `scripts/bundle-tests.js`. */

import { availableParallelism } from "node:os";
import "./scripts/compile-less.js";

/** Those that take longest are begun first: at the end nobody waits for one of them. */
const first = [
	"packages/server/damage",
	"packages/sim/shared",
	"packages/sql/shared",
	"cmd/quorate/packed",
	"packages/embedded/shared",
	"packages/raft/shared",
	"packages/placement/shared",
	"packages/checker/shared",
	"cmd/quorate/main",
].map((name) => `/${name}`);

const place = (file) => {
	const at = first.findIndex((name) => file.includes(name));
	return at < 0 ? first.length : at;
};

export default {
	files: ["dist/suite/**/*.test.js", "!dist/suite/jepsen/**", "clients/orm/*.test.js"],
	// Some wait for the timers of real clusters.
	concurrency: availableParallelism() + 1,
	require: ["./scripts/test-stacks.cjs"],
	sortTestFiles: (a, b) => place(a) - place(b),
	timeout: "30m",
};
