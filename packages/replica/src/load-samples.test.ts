/** Where a load can be divided, and where it cannot. */
import { key, keyMax, keyMin } from "@quorate/keys/key";
import test from "ava";
import { LoadSamples } from "./load-samples.ts";
import type { RangeRequestBody } from "./requests.ts";

const all = { start: keyMin, end: keyMax };
const idKey = (id: number) => key(`k${1_000 + id}`);
const read = (...ids: readonly number[]): RangeRequestBody => ({
	kind: "read",
	keys: ids.map(idKey),
	s: null,
});
const write = (...ids: readonly number[]): RangeRequestBody => ({
	kind: "one-phase",
	transaction: "t" as never,
	anchor: idKey(ids[0]!),
	writes: ids.map((id) => ({ key: idKey(id), value: null, since: null })),
	validate: [],
	schemaVersion: 1,
	owner: "o" as never,
});

/** So many seconds of 1,000 requests each. */
function loaded(seconds: number, bodyOf: (n: number) => RangeRequestBody): LoadSamples {
	const load = new LoadSamples();
	for (let second = 0; second <= seconds; second++) {
		load.tick(second * 1_000, 100);
		for (let n = 0; n < 1_000; n++) load.note(bodyOf(second * 1_000 + n));
	}
	return load;
}

test("the rate comes near to what it is, and decays", (t) => {
	const load = loaded(60, () => read(1));
	t.true(Math.abs(load.rate - 1_000) < 30, `${load.rate}`);
	load.tick(61_000, 100);
	load.tick(71_000, 100);
	load.tick(91_000, 100);
	t.true(load.rate < 200, `${load.rate}`);
});

test("keys are kept only where the rate is of interest", (t) => {
	const load = new LoadSamples();
	for (let second = 0; second < 100; second++) {
		load.tick(second * 1_000, 100);
		for (let n = 0; n < 50; n++) load.note(read(n));
	}
	t.false(load.isReady);
});

test("single rows are divided where the requests are", (t) => {
	const load = loaded(30, (n) => read(n % 10 === 0 ? n % 900 : 900 + (n % 100)));
	const at = load.divider(all)!;
	t.true(at > idKey(920) && at < idKey(970), at);
});

test("one hot key is not divided", (t) => {
	const load = loaded(30, (n) => read(n % 10 === 0 ? n % 900 : 500));
	t.true(load.isReady);
	t.is(load.divider(all), undefined);
});

test("commits of one range do not become commits of two", (t) => {
	const far = loaded(30, (n) => (n % 5 === 0 ? write(n % 100, 900 + (n % 100)) : read(n % 1_000)));
	t.is(far.divider(all), undefined);
	const near = loaded(30, (n) => (n % 5 === 0 ? write(n % 1_000) : read(n % 1_000)));
	t.not(near.divider(all), undefined);
});
