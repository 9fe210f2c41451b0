import { ticksPerMs, timestamp, timestampToWallMs } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import type { IssuedBlock, RaiseResult } from "./oracle.ts";
import { settled, TestOracleGroup } from "./testing/test-oracle-group.ts";

/** Collects answers in the order in which they come. */
function ask(
	group: TestOracleGroup,
	count = 1,
): { block?: IssuedBlock | undefined; done: boolean } {
	const answer: { block?: IssuedBlock | undefined; done: boolean } = { done: false };
	void group.oracle.issue(count).then((block) => {
		answer.block = block;
		answer.done = true;
	});
	return answer;
}

async function leader(): Promise<TestOracleGroup> {
	const group = new TestOracleGroup();
	group.lead();
	ask(group);
	await group.drain();
	return group;
}

test("O1: who comes while a round is in flight waits for the next, which serves all of them", async (t) => {
	const group = await leader();
	const first = ask(group);
	const second = ask(group);
	const third = ask(group, 3);
	t.is(group.rounds.length, 1);
	await group.confirm();
	t.deepEqual([first.done, second.done, third.done], [true, false, false]);
	t.is(group.rounds.length, 1);
	await group.confirm();
	t.deepEqual([second.done, third.done], [true, true]);
	t.is(group.rounds.length, 0);
	const firsts = [first, second, third].map((answer) => answer.block!.first as number);
	t.true(firsts[0]! < firsts[1]! && firsts[1]! < firsts[2]!);
});

test("a round with company is followed by a pause, in which more may ask; who is alone never waits", async (t) => {
	const group = await leader();
	group.holdsPauses = true;
	const first = ask(group);
	const second = ask(group);
	await group.confirm();
	t.deepEqual([first.done, second.done, group.rounds.length], [true, false, 0]);
	const third = ask(group);
	t.is(group.rounds.length, 0);
	group.endPauses();
	t.is(group.rounds.length, 1);
	await group.confirm();
	t.deepEqual([second.done, third.done], [true, true]);
	t.is(group.paused.length, 0);
	const alone = ask(group);
	t.is(group.rounds.length, 1);
	await group.confirm();
	t.true(alone.done);
});

test("O1: leadership lost during a round answers no one", async (t) => {
	const group = await leader();
	const inRound = ask(group);
	const collecting = ask(group);
	group.stepDown();
	await settled();
	t.deepEqual([inRound.done, inRound.block], [true, undefined]);
	t.deepEqual([collecting.done, collecting.block], [true, undefined]);
	group.lead(false);
	const again = ask(group);
	await group.confirm();
	t.is(group.rounds.length, 0, "neither the old round's end nor a term without an own entry");
	group.applyEmpty();
	await group.drain();
	t.truthy(again.block);
});

test("O2: a new leader answers only after an entry of its own term, above the applied ceiling", async (t) => {
	const group = new TestOracleGroup(timestamp(5_000_000));
	group.lead(false);
	const answer = ask(group);
	t.is(group.rounds.length, 0);
	group.oracle.applied(++group.index, group.term - 1, { kind: "set", name: "x", value: "" });
	t.is(group.rounds.length, 0);
	group.ceilingValue = timestamp(6_000_000);
	group.oracle.applied(++group.index, group.term - 1, {
		kind: "ceiling",
		value: group.ceilingValue,
	});
	group.applyEmpty();
	await group.confirm();
	t.false(answer.done, "the ceiling of the leader before is no room for this one");
	t.is(group.applyNext()?.kind, "ceiling");
	await settled();
	t.true(answer.block!.first > 6_000_000);
});

test("O2: nothing at or above the ceiling; an unapplied one does not count", async (t) => {
	const group = await leader();
	const room = group.ceilingValue - 1;
	group.monotonicMs += 10_000;
	group.wallMs += 10_000;
	const answer = ask(group);
	await group.confirm();
	t.false(answer.done);
	t.is(group.proposed.length, 1);
	group.applyNext();
	await settled();
	t.true(answer.block!.first > room);
	t.true(answer.block!.first < group.ceilingValue);
	t.true(group.ceilingValue - answer.block!.first <= 500 * ticksPerMs);
});

test("an idle oracle writes nothing, a busy one four ceilings a second", async (t) => {
	const group = await leader();
	const before = group.proposals;
	for (let i = 0; i < 1000; i++) {
		group.monotonicMs += 1;
		group.wallMs += 1;
		ask(group);
		await group.drain();
	}
	const busy = group.proposals - before;
	t.true(busy >= 3 && busy <= 5, `${busy} proposals`);
	group.monotonicMs += 3_600_000;
	await group.drain();
	t.is(group.proposals - before, busy);
});

test("O4: time goes on at four fifths to twice its rate, whatever the wall clock says", async (t) => {
	const group = await leader();
	const now = async (): Promise<number> => {
		const answer = ask(group);
		await group.drain();
		return timestampToWallMs(answer.block!.first);
	};
	const start = await now();
	for (const [wallMs, rate] of [
		[group.wallMs + 86_400_000, 2],
		[0, 0.8],
	] as const) {
		const from = await now();
		group.wallMs = wallMs;
		for (let i = 0; i < 100; i++) {
			group.monotonicMs += 100;
			await now();
		}
		t.true(Math.abs((await now()) - from - 10_000 * rate) < 5, `rate ${rate}`);
	}
	group.wallMs = start + 26_000;
	group.monotonicMs += 3_600_000;
	t.true((await now()) - start > 2_800_000, "never back to a wall clock that is behind");
});

test("O4: a new leader goes on about where the old one was, not from its wall clock", async (t) => {
	const start = 1_700_000_000_000;
	const ceiling = timestamp((start - 1_577_836_800_000) * ticksPerMs);
	const group = new TestOracleGroup(ceiling);
	group.wallMs = start + 1e10;
	group.lead();
	const answer = ask(group);
	await group.drain();
	t.true(Math.abs(timestampToWallMs(answer.block!.first) - start) < 5);
});

test("S1: while the entry is in flight nothing is answered; above c the version is the new one", async (t) => {
	const group = await leader();
	const before = ask(group);
	await group.confirm();
	const raised = group.oracle.raiseSchemaVersion();
	t.is(group.proposed.length, 1);
	const inFlight = ask(group);
	await group.confirm();
	t.false(inFlight.done);
	group.applyNext();
	const { timestamp: c, schemaVersion } = (await raised) as Exclude<RaiseResult, string>;
	t.is(schemaVersion, 2);
	t.true(before.block!.first < c && before.block!.schemaVersion === 1);
	t.true(inFlight.block!.first > c && inFlight.block!.schemaVersion === 2);
});

test("S1: a lost entry keeps the oracle silent until it steps down; the outcome is unknown", async (t) => {
	const group = await leader();
	const raised = group.oracle.raiseSchemaVersion();
	group.monotonicMs += 1e7;
	const waiting = ask(group);
	await group.confirm();
	t.false(waiting.done);
	group.stepDown();
	t.is(await raised, "unknown");
	await settled();
	t.deepEqual([waiting.done, waiting.block], [true, undefined]);
	t.is(await group.oracle.raiseSchemaVersion(), "not-leader");
});

test("S1: several changes go one after the other", async (t) => {
	const group = await leader();
	const results = [group.oracle.raiseSchemaVersion(), group.oracle.raiseSchemaVersion()];
	t.is(group.proposed.length, 1);
	await group.drain();
	const [x, y] = (await Promise.all(results)) as Exclude<RaiseResult, string>[];
	t.true(x!.timestamp < y!.timestamp);
	t.deepEqual([x!.schemaVersion, y!.schemaVersion], [2, 3]);
});

test("any course of requests, rounds, clocks and leaders issues unique rising timestamps, each with its version", async (t) => {
	const step = fc.tuple(fc.nat(9), fc.nat(1000));
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
			await walk(steps);
		}),
		{ numRuns: 200 },
	);
	t.pass();
});

/** Two members over one log; one leads at a time, and the other follows what is applied. */
async function walk(steps: readonly (readonly [number, number])[]): Promise<void> {
	const log = { ceiling: timestamp(0), version: 1, term: 0, changes: [] as number[] };
	let group = new TestOracleGroup();
	let highest = 0;
	const issued: { block: IssuedBlock; count: number; above: number }[] = [];
	const elect = (wallMs: number) => {
		group.stepDown();
		const next = new TestOracleGroup(log.ceiling);
		next.version = log.version;
		next.wallMs = wallMs;
		next.monotonicMs = wallMs / 3;
		next.lead();
		group = next;
	};
	elect(Date.UTC(2024, 0, 1));
	for (const [kind, n] of steps) {
		if (kind <= 3) {
			const count = 1 + (n % 7);
			const above = highest;
			void group.oracle.issue(count).then((block) => {
				if (block !== undefined) {
					issued.push({ block, count, above });
					highest = Math.max(highest, block.first + count - 1);
				}
			});
		} else if (kind === 4) {
			group.monotonicMs += n;
			group.wallMs += n * 3 - 1000;
		} else if (kind === 5) {
			void group.oracle.raiseSchemaVersion();
		} else if (kind === 6 && n < 100) {
			elect(Date.UTC(2024, 0, 1) + (n - 50) * 1e8);
		} else if (kind === 7) {
			group.rounds.shift()?.confirm();
		} else {
			const command = group.applyNext();
			log.ceiling = group.ceilingValue;
			log.version = group.version;
			if (command?.kind === "raise-schema") {
				log.changes.push(command.c);
			}
		}
		await settled();
	}
	const used = new Set<number>();
	for (const { block, count, above } of issued) {
		for (let i = 0; i < count; i++) {
			const ts = block.first + i;
			const version = 1 + log.changes.filter((c) => c < ts).length;
			if (used.has(ts) || ts <= above || log.changes.includes(ts)) {
				throw new Error(`timestamp ${ts} issued twice or too low (${above})`);
			}
			if (block.schemaVersion !== version) {
				throw new Error(`timestamp ${ts} has version ${block.schemaVersion}, not ${version}`);
			}
			used.add(ts);
		}
	}
}
