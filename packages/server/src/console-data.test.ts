/** However large the cluster, answers are small; they hold nothing of what users have stored; and other pages get none. */
import type { NodeId } from "@quorate/keys/ids";
import type { Overview } from "@quorate/placement/messages";
import test from "ava";
import { refusalOf } from "./admin-guard.ts";
import { ConsoleData, type ConsoleSources } from "./console-data.ts";

const count = 10_000;
const secret = "secret";

function large(): Overview {
	const ranges = Array.from({ length: count }, (_, i) => {
		const start = `${secret}${String(count - i).padStart(6, "0")}`;
		const replicas = [1, 2, 3].map((nodeId) => ({
			nodeId,
			replicaId: i * 3 + nodeId,
			role: "voter",
		}));
		const epoch = { version: 1, conf: 1 };
		return [{ rangeId: i + 1, start, end: `${start}x`, epoch, replicas }, 1 + (i % 3)] as const;
	});
	const nodes = [1, 2, 3].map((nodeId) => ({
		nodeId,
		address: `10.0.0.${nodeId}:1`,
		sqlAddress: `10.0.0.${nodeId}:2`,
		locality: "",
		state: nodeId === 3 ? "dead" : "live",
		isMember: true,
		isStopping: false,
		silentMs: 0,
	}));
	const told = ranges.map(([{ rangeId }]) => [rangeId, "x".repeat(5_000)] as const);
	const events = ranges.map(([{ rangeId }]) => ({ id: rangeId, kind: "lease", to: [], from: [] }));
	const overview = { nodes, ranges, moves: told, obstacles: told, isSettled: false, events };
	return overview as unknown as Overview;
}

function sources(asked: string[]): ConsoleSources {
	let nowMs = 0;
	const locks = Array.from({ length: 2_000 }, (_, i) => ({
		rangeId: 1,
		key: `${secret}${i}`,
		owner: `1/1/${i}/0`,
		strength: "update",
		waitsSinceMs: i,
		blockers: [`1/1/${i + 1}/0`],
		write: null,
	}));
	return {
		clock: { monotonicMs: () => nowMs++, wallMs: () => 5_000 },
		nodeId: 1 as NodeId,
		clusterId: "c",
		cluster: {
			overview: async () => {
				asked.push("overview");
				return large();
			},
			activity: async () =>
				({ nodes: [{ nodeId: 1, sessions: [], locks, locksLeftOut: 0 }], silent: [3] }) as never,
			askAll: async (method, body) => {
				asked.push(method);
				const ids = Array.isArray(body) ? body : [];
				const ranges = ids.map((id) => [id, 5, 1]);
				return { answers: [{ nodeId: 1, ranges, shapes: [] } as never], silent: [3 as NodeId] };
			},
		},
		tableOf: () => "t",
	};
}

test("answers about 10,000 ranges are small, and hold no key", async (t) => {
	const asked: string[] = [];
	const data = new ConsoleData(sources(asked));
	const answers = {
		overview: await data.overview(),
		ranges: await data.ranges(5_000, 1_000_000),
		waits: await data.waits(),
		statements: await data.statements(),
	};
	for (const [name, answer] of Object.entries(answers)) {
		const text = JSON.stringify(answer);
		t.true(text.length < 150_000, `${name}: ${text.length}`);
		t.false(text.includes(secret), name);
	}
	t.like(answers.overview, { rangeCount: count, moveCount: count });
	const { nodes } = answers.overview as { nodes: readonly object[] };
	t.like(nodes[0], { replicas: count, leases: 3_334, report: { nodeId: 1 } });
	t.like(nodes[2], { state: "dead", report: null });
	const { ranges } = answers.ranges as { ranges: readonly object[] };
	t.is(ranges.length, 200);
	t.like(ranges[0], { rangeId: 5_000, table: "t", bytes: 5 });
	t.like(await data.ranges(count, 10), { ranges: [] });
});

test("nobody is asked twice for what was just told", async (t) => {
	const asked: string[] = [];
	const data = new ConsoleData(sources(asked));
	t.deepEqual(asked, []);
	await Promise.all([data.overview(), data.overview(), data.statements()]);
	await data.overview();
	t.deepEqual(asked.sort(), ["console.report", "overview"]);
});

test("other pages are refused, also under a name of their own", (t) => {
	const refused = (headers: Record<string, string>, path = "/api/waits"): boolean =>
		refusalOf(headers, path) !== undefined;
	for (const host of ["127.0.0.1:7451", "localhost", "[::1]:7451", "LOCALHOST:1"]) {
		t.false(refused({ host }), host);
	}
	for (const host of [
		"evil.example:7451",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"",
	]) {
		t.true(refused({ host }), host);
		t.true(refused({ host }, "/"), host);
	}
	const host = "127.0.0.1:7451";
	t.false(refused({ host, origin: `http://${host}`, "sec-fetch-site": "same-origin" }));
	t.true(refused({ host, origin: "http://127.0.0.1:8080" }));
	t.true(refused({ host, origin: "null" }));
	t.true(refused({ host, "sec-fetch-site": "same-site" }));
	t.true(refused({ host, "sec-fetch-site": "cross-site" }, "/metrics"));
	t.false(refused({ host, "sec-fetch-site": "cross-site" }, "/"));
});
