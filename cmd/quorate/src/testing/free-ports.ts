/** Ports for tests that start servers by number: `count` in a row that nobody listens on. */
import { createServer } from "node:net";
import { isMainThread, threadId } from "node:worker_threads";

/**
 * Test files run as threads of one process, and those of whole clusters beside them as processes: each begins elsewhere, or two find
 * the same port free. All is below the range from which the kernel takes ports for outgoing connections.
 */
const first = isMainThread ? 26_000 : 20_000;
const last = first + 6_000;
let next = first + ((process.pid * 10 + threadId * 1000) % 5_000);

/** The port before the first: node n of a cluster uses it plus n. */
export async function freePortBase(count: number): Promise<number> {
	for (;;) {
		const base = next;
		next = next + 2 * count > last ? first : next + count;
		const free = await Promise.all(
			Array.from({ length: count }, (_, index) => isFree(base + index + 1)),
		);
		if (free.every(Boolean)) {
			return base;
		}
	}
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer();
		probe.once("error", () => resolve(false));
		probe.listen({ host: "127.0.0.1", port }, () => probe.close(() => resolve(true)));
	});
}
