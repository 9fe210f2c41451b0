/** The cache of ranges, held against a plain list of them. */
import { nodeId, type RangeId, rangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeInfo } from "@quorate/keys/range";
import test from "ava";
import fc from "fast-check";
import { RangeCache } from "./range-cache.ts";

const keyAt = (n: number): Key => String.fromCharCode(65 + n) as Key;

const infos = fc
	.record({
		id: fc.integer({ min: 1, max: 6 }),
		start: fc.integer({ min: 0, max: 10 }),
		length: fc.integer({ min: 1, max: 6 }),
		version: fc.integer({ min: 1, max: 4 }),
		leaseholder: fc.integer({ min: 1, max: 3 }),
	})
	.map(
		({ id, start, length, version, leaseholder }): RangeInfo => ({
			descriptor: {
				rangeId: rangeId(id),
				start: keyAt(start),
				end: keyAt(start + length),
				epoch: { version, configuration: 1 } as unknown as RangeInfo["descriptor"]["epoch"],
				replicas: [],
			} as unknown as RangeInfo["descriptor"],
			leaseholder: nodeId(leaseholder),
		}),
	);

const steps = fc.array(
	fc.oneof(
		infos.map((info) => ({ kind: "put" as const, info })),
		fc.integer({ min: 1, max: 6 }).map((id) => ({ kind: "forget" as const, id: rangeId(id) })),
		fc.integer({ min: 1, max: 6 }).map((id) => ({ kind: "lost" as const, id: rangeId(id) })),
		fc.integer({ min: 1, max: 6 }).map((id) => ({ kind: "moved" as const, id: rangeId(id) })),
	),
	{ maxLength: 30 },
);

type Step = typeof steps extends fc.Arbitrary<(infer One)[]> ? One : never;

/** What it has to hold after a step. */
function next(held: readonly RangeInfo[], step: Step): RangeInfo[] {
	const of = (id: RangeId) => (info: RangeInfo) => info.descriptor.rangeId === id;
	if (step.kind === "put") {
		const { descriptor } = step.info;
		const overlaps = (one: RangeInfo): boolean =>
			one.descriptor.start < descriptor.end && descriptor.start < one.descriptor.end;
		const { version } = descriptor.epoch;
		if (held.some((one) => overlaps(one) && one.descriptor.epoch.version > version))
			return [...held];
		const isSame = of(descriptor.rangeId);
		return [...held.filter((one) => !overlaps(one) && !isSame(one)), step.info];
	}
	const isMeant = of(step.id);
	if (step.kind === "forget") return held.filter((one) => !isMeant(one));
	return held.map((one) => {
		if (!isMeant(one)) return one;
		if (step.kind === "lost") return { ...one, leaseholder: undefined };
		return one.leaseholder === 1 ? { ...one, leaseholder: nodeId(2) } : one;
	});
}

test("it finds what a list of all ranges finds", (t) => {
	fc.assert(
		fc.property(steps, (all) => {
			const cache = new RangeCache();
			let held: RangeInfo[] = [];
			for (const step of all) {
				if (step.kind === "put") cache.put(step.info);
				else if (step.kind === "forget") cache.forget(step.id);
				else if (step.kind === "lost") cache.forgetLeaseholder(step.id);
				else cache.moveLease(step.id, nodeId(1), nodeId(2));
				held = next(held, step);
				for (let n = 0; n < 18; n++) {
					const k = keyAt(n);
					const at = held.find(({ descriptor }) => descriptor.start <= k && k < descriptor.end);
					const before = held.find(({ descriptor }) => descriptor.start < k && k <= descriptor.end);
					if (JSON.stringify(cache.find(k)) !== JSON.stringify(at)) return false;
					if (JSON.stringify(cache.findBefore(k)) !== JSON.stringify(before)) return false;
				}
			}
			return true;
		}),
		{ numRuns: 500 },
	);
	t.pass();
});

test("what others keep of a range is kept here, and not who is believed to lead it", (t) => {
	const cache = new RangeCache();
	const of = (leaseholder: number, version = 1): RangeInfo => ({
		descriptor: {
			rangeId: rangeId(1),
			start: keyAt(0),
			end: keyAt(2),
			epoch: { version, conf: 1 },
			replicas: [],
		},
		leaseholder: nodeId(leaseholder),
	});
	cache.put(of(1));
	const same = of(1);
	cache.share(same);
	t.is(cache.find(keyAt(1)), same);
	const elsewhere = of(2);
	cache.share(elsewhere);
	t.is(cache.find(keyAt(1))?.descriptor, elsewhere.descriptor);
	t.is(cache.find(keyAt(1))?.leaseholder, nodeId(1));
	cache.share(of(2, 2));
	t.is(cache.find(keyAt(1))?.descriptor, elsewhere.descriptor);
});
