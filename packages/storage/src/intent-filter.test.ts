import { key } from "@quorate/keys/key";
import test from "ava";
import fc from "fast-check";
import { IntentFilter } from "./intent-filter.ts";

test("no key that was added and not removed looks absent, whatever came and went", (t) => {
	const steps = fc.array(
		fc.record({
			kind: fc.constantFrom("add", "add many", "remove", "remove many"),
			at: fc.nat(99),
		}),
		{ maxLength: 60 },
	);
	fc.assert(
		fc.property(steps, (all) => {
			const filter = new IntentFilter();
			const held: string[] = [];
			let next = 0;
			for (const { kind, at } of all) {
				for (let n = kind.endsWith("many") ? at * 40 : 1; n > 0; n--) {
					if (kind.startsWith("add")) {
						held.push(`\0k${next++}\xff`);
						filter.add(key(held[held.length - 1]!));
					} else if (held.length > 0) {
						const [gone] = held.splice((at * 7) % held.length, 1);
						filter.remove(key(gone!));
					}
				}
			}
			t.is(filter.count, held.length);
			t.true(held.every((k) => filter.mayHold(key(k))));
		}),
		{ numRuns: 60 },
	);
});

test("most keys that were not added look absent, and all do once it is empty", (t) => {
	const filter = new IntentFilter();
	const names = Array.from({ length: 20_000 }, (_, n) => key(`table/1/row${n}`));
	names.forEach((k) => {
		filter.add(k);
	});
	const others = names.map((k) => key(`${k}x`));
	const share = others.filter((k) => filter.mayHold(k)).length / others.length;
	t.true(share < 0.3, `${share} of the absent keys look present`);
	names.forEach((k) => {
		filter.remove(k);
	});
	t.is(filter.count, 0);
	t.false(names.some((k) => filter.mayHold(k)));
});

test("removing what was never added is an error", (t) => {
	t.throws(() => new IntentFilter().remove(key("a")), { message: /never added/ });
});

test("what is clipped off a span holds no intent", (t) => {
	const letter = fc.constantFrom(..."abcdefghij");
	const steps = fc.array(
		fc.record({ kind: fc.constantFrom("add", "remove", "look"), k: letter, end: letter }),
	);
	fc.assert(
		fc.property(steps, (all) => {
			const filter = new IntentFilter();
			const held = new Set<string>();
			for (const { kind, k, end } of all) {
				if (kind === "add" && !held.has(k)) {
					held.add(k);
					filter.add(key(k));
				} else if (kind === "remove" && held.delete(k)) {
					filter.remove(key(k));
				}
				const part = filter.clip({ start: key(k), end: key(end) });
				const inside = [...held].filter((x) => k <= x && x < end).sort();
				t.deepEqual(
					inside.filter((x) => part !== undefined && part.start <= x && x < part.end),
					inside,
				);
				if (kind === "look" && part !== undefined) {
					filter.found(part, inside[0] === undefined ? undefined : key(inside[0]));
				}
			}
		}),
		{ numRuns: 500 },
	);
});

test("while intents are counted in parts none looks absent, and afterwards all are counted", (t) => {
	const letter = fc.constantFrom(..."abcdefghijklmnop");
	const steps = fc.array(
		fc.record({ kind: fc.constantFrom("add", "remove", "again", "count", "count"), k: letter }),
		{ maxLength: 80 },
	);
	fc.assert(
		fc.property(steps, (all) => {
			const filter = new IntentFilter();
			const held = new Set<string>();
			let from: string | undefined;
			const count = (max: number): void => {
				const next = [...held].filter((x) => from !== undefined && x >= from).sort();
				filter.countedUpTo(key("z"));
				for (const x of next.slice(0, max)) filter.add(key(x));
				from = next[max];
				filter.countedUpTo(from === undefined ? undefined : key(from));
			};
			for (const { kind, k } of all) {
				if (kind === "add" && !held.has(k)) {
					held.add(k);
					filter.add(key(k));
				} else if (kind === "remove" && held.delete(k)) {
					filter.remove(key(k));
				} else if (kind === "again") {
					filter.clear();
					from = "";
					count(2);
				} else if (kind === "count" && from !== undefined) {
					count(3);
				}
				t.true([...held].every((x) => filter.mayHold(key(x))));
				t.true(held.size === 0 || filter.count > 0);
				const part = filter.clip({ start: key("a"), end: key("z") });
				t.true([...held].every((x) => part !== undefined && part.start <= x && x < part.end));
			}
			while (from !== undefined) count(4);
			t.is(filter.count, held.size);
			for (const x of held) filter.remove(key(x));
			t.is(filter.clip({ start: key("a"), end: key("z") }), undefined);
		}),
		{ numRuns: 500 },
	);
});
