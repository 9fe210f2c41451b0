/**
 * `make test CPU=file`: notes in the file what processors spent on each test file and each process of Node that ended by itself, and
 * tells those that cost most. Where test files share a thread they are one line: with ALONE=1 each has a thread of its own.
 *
 * As a program: `node scripts/test-cpu.cjs FILE [LINES]` tells what is in such a file.
 */
const { appendFileSync, readFileSync } = require("node:fs");
const { isMainThread, workerData } = require("node:worker_threads");

const statFields = (path) => {
	const text = readFileSync(path, "latin1");
	// After the name, which may hold anything. See proc(5); the clock ticks at 100 Hz.
	return text
		.slice(text.lastIndexOf(")") + 2)
		.split(" ")
		.map((field) => Number(field) / 100);
};

if (require.main === module) tell(process.argv[2], Number(process.argv[3] ?? 30));
else note(process.env.CPU_FILE);

function note(file) {
	const ran = isMainThread ? process.argv.slice(1).join(" ") : workerData?.options?.file;
	process.on("exit", () => {
		const [user, system, childUser, childSystem] = statFields(
			isMainThread ? "/proc/self/stat" : "/proc/thread-self/stat",
		).slice(11, 15);
		const children = isMainThread ? childUser + childSystem : 0;
		const line = { ran, isMainThread, seconds: user + system, children };
		appendFileSync(file, `${JSON.stringify(line)}\n`);
	});
}

function tell(file, count) {
	const lines = readFileSync(file, "utf8").trim().split("\n").map(JSON.parse);
	const sum = (some, field) => some.reduce((total, one) => total + one[field], 0).toFixed(1);
	const show = (what, some) => {
		console.log(`${what}: ${some.length}, ${sum(some, "seconds")} s`);
		for (const { ran, seconds } of some.toSorted((a, b) => b.seconds - a.seconds).slice(0, count)) {
			console.log(`${seconds.toFixed(2).padStart(8)}  ${ran?.replace(/^.*\/dist\/suite\//, "")}`);
		}
	};
	show(
		"threads of tests",
		lines.filter((line) => !line.isMainThread),
	);
	const processes = lines.filter((line) => line.isMainThread);
	show("processes, with all their threads", processes);
	for (const { ran, seconds, children } of processes.filter((line) => line.children > 5)) {
		console.log(`${(seconds + children).toFixed(1).padStart(8)}  with all that it started: ${ran}`);
	}
}
