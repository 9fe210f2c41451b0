/** Ports for tests that start servers by number: `count` in a row that nobody listens on. */
import { createServer } from "node:net";
import { threadId } from "node:worker_threads";

/** Test files run as threads of one process: each begins elsewhere, or two find the same port free. */
let next = 20_000 + ((process.pid * 10 + threadId * 1000) % 10_000);

/** The port before the first: node n of a cluster uses it plus n. */
export async function freePortBase(count: number): Promise<number> {
	for (;;) {
		const base = next;
		// Below the range from which the kernel takes ports for outgoing connections.
		next = next > 32_000 ? 20_000 : next + count;
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
