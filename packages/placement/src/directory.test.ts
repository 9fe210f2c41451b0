import { nodeId, rangeId } from "@quorate/keys/ids";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import { isNewerEpoch, type RangeDescriptor, type RangeInfo } from "@quorate/keys/range";
import test from "ava";
import fc from "fast-check";
import { RangeDirectory } from "./directory.ts";

const info = (
	id: number,
	start: string,
	end: string,
	version: number,
	conf = 1,
	leaseholder = 0,
): RangeInfo => ({
	descriptor: {
		rangeId: rangeId(id),
		start: start as Key,
		end: end as Key,
		epoch: { version, conf },
		replicas: [],
	},
	leaseholder: leaseholder === 0 ? undefined : nodeId(leaseholder),
});

const ids = (found: readonly RangeInfo[]): number[] => found.map((r) => r.descriptor.rangeId);
const whole = (): RangeDirectory => new RangeDirectory([info(1, keyMin, keyMax, 1)]);

test("split sides reported in either order", (t) => {
	for (const order of [
		[0, 1],
		[1, 0],
	]) {
		const sides = [info(1, keyMin, "m", 2), info(2, "m", keyMax, 2)];
		const directory = whole();
		directory.report(sides[order[0]!]!);
		const at = directory.lookup("x" as Key, "y" as Key, 1);
		t.deepEqual(ids(at), order[0] === 0 ? [] : [2]);
		directory.report(sides[order[1]!]!);
		t.deepEqual(ids(directory.lookup(keyMin, keyMax, 10)), [1, 2]);
	}
});

test("a merged range replaces both, and a late report of the right one changes nothing", (t) => {
	const directory = whole();
	directory.report(info(1, keyMin, "m", 2));
	directory.report(info(2, "m", keyMax, 2));
	directory.report(info(1, keyMin, keyMax, 3));
	t.deepEqual(ids(directory.all()), [1]);
	t.false(directory.report(info(2, "m", keyMax, 2)));
	t.deepEqual(ids(directory.lookup("n" as Key, keyMax, 10)), [1]);
});

test("hints move with the same epoch only", (t) => {
	const directory = whole();
	t.true(directory.report(info(1, keyMin, keyMax, 1, 1, 3)));
	t.false(directory.report(info(1, keyMin, keyMax, 1, 1, 3)));
	directory.report(info(1, keyMin, keyMax, 1, 2, 2));
	t.false(directory.report(info(1, keyMin, keyMax, 1, 1, 3)));
	t.is(directory.all()[0]?.leaseholder as number, 2);
});

/** A history of splits, merges and membership changes: every descriptor that ever was, and the last ones. */
function history(steps: readonly (readonly [number, number])[]) {
	let current: RangeDescriptor[] = [info(1, keyMin, keyMax, 1).descriptor];
	const ever = [...current];
	let nextId = 2;
	for (const [kind, pick] of steps) {
		const i = pick % current.length;
		const range = current[i]!;
		const { version, conf } = range.epoch;
		const next = current[i + 1];
		let made: RangeDescriptor[];
		if (kind === 0) {
			const middle = `${range.start}${String.fromCharCode(97 + (pick % 26))}` as Key;
			if (middle >= range.end) {
				continue;
			}
			const epoch = { version: version + 1, conf };
			made = [
				{ ...range, end: middle, epoch },
				{ ...range, rangeId: rangeId(nextId++), start: middle, epoch },
			];
			current = [...current.slice(0, i), ...made, ...current.slice(i + 1)];
		} else if (kind === 1 && next !== undefined) {
			const epoch = { version: Math.max(version, next.epoch.version) + 1, conf };
			made = [{ ...range, end: next.end, epoch }];
			current = [...current.slice(0, i), ...made, ...current.slice(i + 2)];
		} else {
			made = [{ ...range, epoch: { version, conf: conf + 1 } }];
			current = [...current.slice(0, i), ...made, ...current.slice(i + 1)];
		}
		ever.push(...made);
	}
	return { ever, current };
}

test("whatever the order of reports, entries only move to newer epochs and the last ranges win", (t) => {
	const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.nat(1000)), { maxLength: 25 });
	fc.assert(
		fc.property(steps, fc.array(fc.nat(10_000), { maxLength: 60 }), (moves, noise) => {
			const { ever, current } = history(moves);
			const directory = whole();
			const check = (descriptor: RangeDescriptor): void => {
				const before = new Map(directory.all().map((r) => [r.descriptor.rangeId, r.descriptor]));
				directory.report({ descriptor, leaseholder: undefined });
				for (const { descriptor: after } of directory.all()) {
					const old = before.get(after.rangeId);
					if (old !== undefined && old !== after) {
						t.true(isNewerEpoch(after.epoch, old.epoch));
					}
				}
			};
			for (const n of noise) {
				check(ever[n % ever.length]!);
			}
			for (const descriptor of [...current].reverse()) {
				check(descriptor);
			}
			for (const n of noise) {
				check(ever[n % ever.length]!);
			}
			const found = directory.lookup(keyMin, keyMax, 1000).map((r) => r.descriptor);
			t.deepEqual(found, current);
		}),
		{ numRuns: 300 },
	);
});
