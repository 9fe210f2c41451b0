import test from "ava";
import fc from "fast-check";
import { firstSortKeys, sortKeyBetween } from "./enum-order.ts";

test("values are born in order, and there is room around each", (t) => {
	fc.assert(
		fc.property(fc.nat(100), fc.array(fc.nat(1_000_000), { maxLength: 200 }), (count, places) => {
			const keys = [...firstSortKeys(count)];
			for (const place of places) {
				const at = place % (keys.length + 1);
				keys.splice(at, 0, sortKeyBetween(keys[at - 1], keys[at]));
			}
			t.deepEqual(keys, [...new Set(keys)].sort());
			t.true(keys.every((key) => key !== "" && !key.endsWith("0")));
		}),
		{ numRuns: 200 },
	);
});

test("keys stay short where values are added at the end", (t) => {
	const keys = [...firstSortKeys(3)];
	for (let i = 0; i < 300; i++) keys.push(sortKeyBetween(keys.at(-1), undefined));
	t.true(keys.every(({ length }) => length < 12));
});
