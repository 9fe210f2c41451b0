/** The rows of advisory locks against what is said of them, in random walks; and their encoding. */
import test from "ava";
import fc from "fast-check";
import {
	type AdvisoryMode,
	type AdvisoryOwner,
	type AdvisoryRow,
	advisoryId,
	advisoryKey,
	decodeRow,
	encodeRow,
	freeRow,
	grantedBetween,
	holdsMode,
	modesConflict,
	reduceTo,
	request,
	withoutTenures,
} from "./advisory-row.ts";

const who = (n: number): AdvisoryOwner => ({
	tenure: `t${n % 3}`,
	session: n,
	pid: 100 + n,
	node: 1 + (n % 3),
});
const nothing = { exclusive: false, shared: false, ticket: undefined };

interface Step {
	readonly session: number;
	readonly what: "lock" | "try" | "leave" | "drop" | "end";
	readonly mode: AdvisoryMode;
}

const step: fc.Arbitrary<Step> = fc.record({
	session: fc.integer({ min: 0, max: 5 }),
	what: fc.constantFrom("lock", "lock", "lock", "try", "leave", "drop", "end"),
	mode: fc.constantFrom("exclusive", "shared"),
});

function check(row: AdvisoryRow): void {
	for (const a of row.holders) {
		for (const b of row.holders) {
			if (a !== b && (a.exclusive || b.exclusive))
				throw new Error("R1: holders do not bear each other");
			if (a !== b && a.session === b.session) throw new Error("a session is there twice");
		}
	}
	row.queue.forEach((w, place) => {
		const holders = row.holders.some(
			(h) => h.session !== w.session && (h.exclusive || w.mode === "exclusive"),
		);
		const ahead = row.queue
			.slice(0, place)
			.some((v) => v.session !== w.session && modesConflict(v.mode, w.mode));
		if (!holders && !ahead) throw new Error("R3: somebody waits for nobody");
	});
}

test("holders bear each other, nobody waits for nobody, and rows survive their encoding", (t) => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			let row = freeRow;
			let ticket = 0;
			for (const { session, what, mode } of steps) {
				const me = who(session);
				const before = row;
				const waits = row.queue.some((w) => w.session === session);
				if (what === "lock" || what === "try") {
					// A session waits for one thing at a time.
					if (waits) continue;
					const asked = request(row, me, mode, what === "lock" ? ++ticket : undefined);
					row = asked.row;
					t.is(asked.outcome === "granted", holdsMode(row, me, mode));
					t.is(asked.blockers.length === 0, asked.outcome === "granted");
					if (asked.outcome === "refused") t.is(row, before);
				} else if (what === "leave") {
					const held = before.holders.find((h) => h.session === session);
					row = reduceTo(row, me, {
						exclusive: held?.exclusive === true,
						shared: held?.shared === true,
						ticket: undefined,
					});
				} else if (what === "drop") {
					row = reduceTo(row, me, nothing);
					t.false(row.holders.some((h) => h.session === session));
				} else {
					row = withoutTenures(row, new Set([me.tenure]));
					t.false(row.holders.some((h) => h.tenure === me.tenure));
				}
				check(row);
				for (const w of grantedBetween(before, row)) t.true(holdsMode(row, w, w.mode));
				t.deepEqual(decodeRow(encodeRow(row)), row);
			}
		}),
		{ numRuns: 1_000 },
	);
});

test("exclusive waiters are not overtaken by shared ones, but by whom they wait for", (t) => {
	let { row } = request(freeRow, who(1), "shared", 1);
	({ row } = request(row, who(2), "exclusive", 2));
	t.is(request(row, who(3), "shared", undefined).outcome, "refused");
	({ row } = request(row, who(3), "shared", 3));
	t.deepEqual(
		row.queue.map((w) => w.session),
		[2, 3],
	);
	// Session 1 holds what 2 waits for: behind it, it would wait for itself.
	const upgraded = request(row, who(1), "exclusive", 4);
	t.is(upgraded.outcome, "granted");
	row = reduceTo(upgraded.row, who(1), nothing);
	t.deepEqual(
		row.holders.map((h) => h.session),
		[2],
	);
	row = reduceTo(row, who(2), nothing);
	t.deepEqual(
		row.holders.map((h) => h.session),
		[3],
	);
	t.is(encodeRow(reduceTo(row, who(3), nothing)), undefined);
});

test("keys of locks are theirs alone", (t) => {
	const uint32 = fc.nat({ max: 0xffff_ffff });
	const id = fc.record({
		classid: uint32,
		objid: uint32,
		objsubid: fc.constantFrom(1 as const, 2 as const),
	});
	fc.assert(fc.property(id, (one) => t.deepEqual(advisoryId(advisoryKey(one)), one)));
});
