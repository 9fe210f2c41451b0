import type { Key } from "@quorate/keys/key";
import test from "ava";
import { RecentGets } from "./recent-gets.ts";
import { RocksBatch } from "./rocks-batch.ts";
import type { NativeBatch, NativeBinding } from "./rocks-binding.ts";

const binding = {
	batch_init: () => ({}) as NativeBatch,
	batch_put: () => undefined,
	batch_del: () => undefined,
	batch_clear: () => undefined,
} as unknown as NativeBinding;

const [hot, cold, gone] = ["hot", "cold", "gone"] as Key[] as [Key, Key, Key];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("what a batch has got is known afterwards, as the batch leaves it", (t) => {
	const recent = new RecentGets();
	const batch = new RocksBatch(binding, () => [], recent);
	batch.got(hot, bytes("before"));
	batch.got(cold, bytes("stays"));
	batch.got(gone, bytes("before"));
	batch.put(hot, bytes("after"));
	batch.delete(gone);
	// Whoever asks the engine itself is told of what was there before the batch.
	batch.got(hot, bytes("before"));
	t.is(recent.get(hot, null), null, "until it is written nothing is known");
	batch.written();
	t.deepEqual(recent.get(hot, null), bytes("after"));
	t.deepEqual(recent.get(cold, null), bytes("stays"));
	t.is(recent.get(gone, null), undefined);
});

test("of a batch that is not written nothing is known", (t) => {
	const recent = new RecentGets();
	const batch = new RocksBatch(binding, () => [], recent);
	batch.got(hot, bytes("before"));
	batch.put(cold, bytes("after"));
	batch.clear();
	batch.written();
	t.is(recent.get(hot, null), null);
	t.is(recent.get(cold, null), null);
});
