/**
 * What sessions have besides rows. lock: an advisory lock as a mutex; what its holder commits carries a rising token, and nothing with
 * an older one may be committed after it, whatever became of the holder meanwhile. notify: every session that listens is told each
 * committed number, once and in order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Operation, Value } from "@quorate/checker/operations";
import { pairs } from "@quorate/checker/transactions";
import { Failed, type Session } from "../net/session.ts";
import { explained, verdict, type Work, type Workload } from "./workload.ts";

const steps = 3;

/** In a critical section: a token, then several writes that carry it. */
const section: Work = {
	f: "section",
	value: null,
	// All others are waited for, one after the other.
	timeoutMs: 30_000,
	run: async (session) => {
		await session.alone(() => session.query("SELECT pg_advisory_lock(7)"));
		try {
			return await guarded(session);
		} catch (error) {
			// A part of it may be there: what the log shows in the end is judged all the same.
			throw error instanceof Failed ? new Failed("info", error.code, error.message) : error;
		} finally {
			if (session.usable) {
				await session
					.alone(() => session.query("SELECT pg_advisory_unlock(7)"))
					.catch(() => {
						// Whether it is still held is not known: the session must not go on.
						session.abandon();
					});
			}
		}
	},
};

async function guarded(session: Session): Promise<number> {
	const next = "UPDATE fence SET v = v + 1 WHERE k = 1 RETURNING v";
	const token = Number(await session.alone(() => session.value(next)));
	for (let i = 0; i < steps; i++) {
		await session.alone(() =>
			session.query(`UPDATE fenced_log SET v = v || ' ${token}' WHERE k = 1`),
		);
	}
	return token;
}

const readLog: Work = {
	f: "read",
	value: null,
	run: (session) =>
		session.alone(async () =>
			((await session.value("SELECT v FROM fenced_log WHERE k = 1")) ?? "")
				.split(" ")
				.filter(Boolean)
				.map(Number),
		),
};

export const lock = (): Workload => ({
	name: "lock",
	about: "an advisory lock has one holder, and who has lost it commits nothing any more",
	schema: [
		"CREATE TABLE fence (k int PRIMARY KEY, v int NOT NULL)",
		"CREATE TABLE fenced_log (k int PRIMARY KEY, v text NOT NULL)",
		"INSERT INTO fence VALUES (1, 0)",
		"INSERT INTO fenced_log VALUES (1, '')",
		"ALTER TABLE fence SPLIT AT VALUES (0), (2)",
	],
	split: (random) => `ALTER TABLE fenced_log SPLIT AT VALUES (${random.between(-500, 500)})`,
	next: ({ random }) => (random.between(1, 30) === 1 ? readLog : section),
	finals: () => [readLog],
	check: (history) => {
		const all = pairs(history).filter(({ status }) => status === "ok");
		const logs = all.flatMap(({ id, f, answered, invoked }) =>
			f === "read" ? [{ id, log: answered as readonly number[], invoked }] : [],
		);
		const sections = all.flatMap(({ f, answered, completed }) =>
			f === "section" ? [{ token: answered as number, completed }] : [],
		);
		const overtaken = logs.flatMap(({ id, log }) => {
			const at = log.findIndex((token, i) => i > 0 && token < log[i - 1]!);
			const explanation = `#${id}: ${log[at]} was committed after ${log[at - 1]}`;
			return at < 0 ? [] : [{ explanation }];
		});
		// Whoever looks last sees all that was committed before.
		const last = logs.at(-1);
		const lost = sections.flatMap(({ token, completed }) => {
			if (last === undefined || completed > last.invoked) return [];
			const count = last.log.filter((t) => t === token).length;
			const explanation = `of token ${token} the log has ${count} of ${steps} writes`;
			return count === steps ? [] : [{ explanation }];
		});
		const findings = [...explained("overtaken", overtaken), ...explained("lost-write", lost)];
		const counts = { sections: sections.length, reads: logs.length };
		return verdict(findings, counts, sections.length > 0 && logs.length > 0);
	},
});

const listenMs = 2_500;
/** From a commit that was acknowledged to its notification, at most: also over a change of leases. */
const deliveryMs = 30_000;
const listenersOf = (workers: number): number => Math.ceil(workers / 3);

const ticket = (session: Session): Promise<number> =>
	session.alone(async () => Number(await session.value("SELECT n FROM ticket WHERE k = 1")));

/** What this session is told between two looks at the last number. */
const listen: Work = {
	f: "listen",
	value: null,
	timeoutMs: listenMs + deliveryMs + 15_000,
	run: async (session) => {
		const heard: number[] = [];
		session.onNotification((payload) => heard.push(Number(payload)));
		await session.alone(() => session.query("LISTEN tickets"));
		const from = await ticket(session);
		await sleep(listenMs);
		const to = await ticket(session);
		const deadline = performance.now() + deliveryMs;
		while (session.usable && performance.now() < deadline && (heard.at(-1) ?? from) < to) {
			await sleep(20);
		}
		if (!session.usable) throw new Failed("fail", "lost", "the session ended while it listened");
		const answer: Value = { from, to, heard };
		// Another operation begins with a session of its own.
		await session.close();
		return answer;
	},
};

const give: Work = {
	f: "notify",
	value: null,
	run: (session) =>
		session.transaction({}, async () => {
			const n = Number(await session.value("UPDATE ticket SET n = n + 1 WHERE k = 1 RETURNING n"));
			await session.query(`NOTIFY tickets, '${n}'`);
			return n;
		}),
};

export const notify = (): Workload => ({
	name: "notify",
	about: "every session that listens is told each committed number, once and in order",
	schema: [
		"CREATE TABLE ticket (k int PRIMARY KEY, n int NOT NULL)",
		"INSERT INTO ticket VALUES (1, 0)",
		"ALTER TABLE ticket SPLIT AT VALUES (0)",
	],
	split: (random) => `ALTER TABLE ticket SPLIT AT VALUES (${random.between(-500, 500)})`,
	next: ({ index, workers }) => (index < listenersOf(workers) ? listen : give),
	check: checkHeard,
});

function checkHeard(history: readonly Operation[]) {
	const ok = pairs(history).filter(({ status }) => status === "ok");
	const listened = ok.filter(({ f }) => f === "listen");
	let told = 0;
	const problems = listened.flatMap(({ id, answered }) => {
		const { from, to, heard } = answered as unknown as {
			readonly from: number;
			readonly to: number;
			readonly heard: readonly number[];
		};
		told += heard.length;
		const at = heard.findIndex((n, i) => i > 0 && n !== heard[i - 1]! + 1);
		if (at > 0) return [{ explanation: `#${id} was told ${heard[at]} after ${heard[at - 1]}` }];
		if (to === from) return [];
		const [first, last] = [heard[0], heard.at(-1)];
		const isWhole = first !== undefined && first <= from + 1 && last! >= to;
		const explanation = `#${id} was told ${first ?? "nothing"} to ${last ?? "nothing"}, not ${from + 1} to ${to}`;
		return isWhole ? [] : [{ explanation }];
	});
	const counts = { notified: ok.length - listened.length, listened: listened.length, told };
	return verdict(explained("not-told", problems), counts, told > 0);
}
