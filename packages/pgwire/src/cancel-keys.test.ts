/** A cancel key ends a statement of a session that somebody else has: it is not to be guessed, nor good for anything else. */
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import test from "ava";
import { CancelKeys, nodeOfPid, pidNode } from "./cancel-keys.ts";

const { random } = createRealRuntime({ logLevel: "error" });

test("a key names its session, and one that is wrong in any bit nobody's", (t) => {
	const keys = new CancelKeys<string>(random, 7);
	const { pid, secret } = keys.issue("one");
	const other = keys.issue("two");
	t.is(keys.find({ pid, secret }), "one");
	for (let bit = 0; bit < 32; bit++) {
		t.is(keys.find({ pid, secret: secret ^ (1 << bit) }), undefined);
		t.is(keys.find({ pid: pid ^ (1 << bit), secret }), undefined);
	}
	t.is(keys.find({ pid: other.pid, secret }), undefined);
	t.is(keys.find({ pid: 0, secret: 0 }), undefined);
	keys.withdraw(pid);
	t.is(keys.find({ pid, secret }), undefined);
});

test("32 bits of the cryptographic source each, and none twice", (t) => {
	const keys = new CancelKeys<number>(random, 1);
	const secrets = new Set<number>();
	let ones = 0;
	let zeros = 0;
	for (let i = 0; i < 2000; i++) {
		const { secret } = keys.issue(i);
		secrets.add(secret);
		ones |= secret;
		zeros |= ~secret;
	}
	t.true(secrets.size > 1990);
	t.deepEqual([ones, zeros], [-1, -1], "every bit is used");
	const asked: number[] = [];
	const bytes = (count: number) => {
		asked.push(count);
		return random.bytes(count);
	};
	new CancelKeys({ ...random, bytes }, 1).issue("x");
	t.deepEqual(asked, [4]);
});

test("a key is of one node: others tell by its number where it belongs, and take it for none of theirs", (t) => {
	for (const node of [1, 2, 2047, 2048, 5000]) {
		const here = new CancelKeys<string>(random, node);
		const there = new CancelKeys<string>(random, node + 1);
		const key = here.issue("x");
		there.issue("y");
		t.true(key.pid > 0);
		t.is(nodeOfPid(key.pid), pidNode(node));
		t.deepEqual([here.isOwn(key.pid), there.isOwn(key.pid)], [true, false]);
		t.is(there.find(key), undefined);
	}
});
