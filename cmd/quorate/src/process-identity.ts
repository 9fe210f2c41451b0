/** Whether a process id still means the process that it was written down for. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch {
		return false;
	}
	return !isZombie(pid);
}

/** True if the process has all of `words` in its command line, as whole arguments and in this order. */
export function processRuns(pid: number, words: readonly string[]): boolean {
	if (!Number.isSafeInteger(pid) || pid <= 1 || !isRunning(pid)) {
		return false;
	}
	const found = commandLine(pid);
	let at = 0;
	for (const word of words) {
		at = found.indexOf(word, at) + 1;
		if (at === 0) {
			return false;
		}
	}
	return true;
}

function commandLine(pid: number): readonly string[] {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
	} catch {
		return commandLineByPs(pid);
	}
}

/** Where there is no /proc. Arguments with spaces come apart, and are then not recognised: the safe side. */
function commandLineByPs(pid: number): readonly string[] {
	try {
		const output = execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
		return output.trim().split(/\s+/);
	} catch {
		return [];
	}
}

/**
 * Ended, but its parent has not asked for the exit code yet. While threads of it are still on their way out it holds its
 * ports and files, and counts as running.
 */
function isZombie(pid: number): boolean {
	try {
		const status = readFileSync(`/proc/${pid}/stat`, "utf8");
		const ended = status.slice(status.lastIndexOf(")") + 2).startsWith("Z");
		return ended && readdirSync(`/proc/${pid}/task`).length <= 1;
	} catch {
		return false;
	}
}
