/**
 * How long one sync of this machine's disk takes while something else is measured. What waits for the disk waits no shorter: a longest
 * wait says little where the disk itself stood still for as long.
 */
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pauseMs = 50;
const page = Buffer.alloc(4096);

/** The result of `task`, and the longest sync meanwhile in milliseconds. */
export async function withDiskProbe<T>(
	task: () => Promise<T>,
): Promise<{ readonly result: T; readonly longestMs: number }> {
	const path = join(tmpdir(), `quorate-probe-${process.pid}`);
	const file = await open(path, "w");
	let longestMs = 0;
	let isOver = false;
	const probing = (async () => {
		while (!isOver) {
			const start = performance.now();
			await file.write(page, 0, page.length, 0);
			await file.datasync();
			longestMs = Math.max(longestMs, performance.now() - start);
			await new Promise((resolve) => setTimeout(resolve, pauseMs));
		}
	})();
	try {
		const result = await task();
		return { result, longestMs };
	} finally {
		isOver = true;
		await probing.finally(() => file.close());
		await rm(path, { force: true });
	}
}
