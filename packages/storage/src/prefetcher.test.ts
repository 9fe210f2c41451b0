import { type Key, key } from "@quorate/keys/key";
import test from "ava";
import { Prefetcher } from "./prefetcher.ts";
import { RecentGets } from "./recent-gets.ts";

type Done = (values: readonly (Uint8Array | null | undefined)[] | undefined) => void;

/** Turns and gets come when the test says so. */
function prefetching() {
	const recent = new RecentGets();
	const deferred: (() => void)[] = [];
	const calls: { readonly keys: readonly Key[]; readonly done: Done }[] = [];
	const prefetcher = new Prefetcher(
		recent,
		{ defer: (task) => deferred.push(task) },
		(keys, done) => calls.push({ keys, done }),
	);
	const turn = (): void => {
		for (const task of deferred.splice(0)) task();
	};
	return { recent, prefetcher, calls, turn };
}

const [a, b, c, d] = ["a", "b", "c", "d"].map(key) as [Key, Key, Key, Key];
const one = Uint8Array.of(1);

test("what a thread has found is known, absence too, and only of keys that nobody knew", (t) => {
	const { recent, prefetcher, calls, turn } = prefetching();
	recent.put(c, one);
	prefetcher.add([a]);
	prefetcher.add([b, c]);
	turn();
	t.deepEqual(calls[0]!.keys, [a, b]);
	calls[0]!.done([one, undefined]);
	t.deepEqual([recent.get(a, null), recent.get(b, null)], [one, undefined]);
});

test("what was written meanwhile, or thrown away, is not taken for what it was", (t) => {
	const { recent, prefetcher, calls, turn } = prefetching();
	prefetcher.add([a, b]);
	turn();
	t.true(recent.forget(a), "whoever writes it has to say what it is now");
	calls[0]!.done([one, one]);
	t.deepEqual([recent.get(a, null), recent.get(b, null)], [null, one]);

	prefetcher.add([c, d]);
	turn();
	recent.clear();
	calls[1]!.done([one, one]);
	t.deepEqual([recent.get(c, null), recent.get(d, null)], [null, null]);
});

test("one call is under way at a time, and a key alone is left to its get", (t) => {
	const { prefetcher, calls, turn } = prefetching();
	prefetcher.add([a, b]);
	turn();
	prefetcher.add([c]);
	prefetcher.add([d]);
	turn();
	t.is(calls.length, 1);
	calls[0]!.done([one, one]);
	turn();
	t.deepEqual(calls[1]!.keys, [c, d]);
	calls[1]!.done(undefined);
	prefetcher.add([key("e")]);
	turn();
	t.is(calls.length, 2);
});

test("whoever waits hears of the end of the call with its key, or that it is left to its get", async (t) => {
	const { recent, prefetcher, calls, turn } = prefetching();
	const ended: string[] = [];
	const add = (name: string, keys: readonly Key[]): void => {
		const end = prefetcher.add(keys);
		if (end === undefined) ended.push(`${name}: nothing to wait for`);
		else void end.then(() => ended.push(name));
	};
	recent.put(c, one);
	add("known", [c]);
	add("first", [a]);
	add("second", [c, b]);
	turn();
	add("under way", [b]);
	add("next", [a, d]);
	await Promise.resolve();
	t.deepEqual(ended, ["known: nothing to wait for"]);
	calls[0]!.done([one, one]);
	await Promise.resolve();
	t.deepEqual(ended.splice(0).slice(1), ["first", "second", "under way"]);
	turn();
	t.is(calls.length, 1);
	await Promise.resolve();
	t.deepEqual(ended.splice(0), ["next"], "alone");

	add("written meanwhile", [d]);
	add("failed", [key("e")]);
	turn();
	recent.forget(d);
	add("after the write", [d]);
	calls[1]!.done(undefined);
	await Promise.resolve();
	t.deepEqual(ended.splice(0), ["written meanwhile", "failed"]);
	const closing = prefetcher.close();
	await Promise.resolve();
	t.deepEqual(ended.splice(0), ["after the write"]);
	add("closed", [d]);
	t.deepEqual(ended, ["closed: nothing to wait for"]);
	await closing;
});

test("closing waits for the call that is under way, and nothing begins after it", async (t) => {
	const { prefetcher, calls, turn } = prefetching();
	prefetcher.add([a, b]);
	turn();
	prefetcher.add([c, d]);
	let isClosed = false;
	const closing = prefetcher.close().then(() => {
		isClosed = true;
	});
	await Promise.resolve();
	t.false(isClosed);
	calls[0]!.done([one, one]);
	await closing;
	turn();
	t.is(calls.length, 1);
});
