/** Whole clusters as processes: see the `test` target of the Makefile, and `scripts/bundle-tests.js`. */
export default {
	files: ["dist/suite/jepsen/**/*.test.js"],
	require: ["./scripts/test-stacks.cjs"],
	serial: true,
	// They send signals.
	workerThreads: false,
	timeout: "30m",
};
