import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { isLoopbackHost, parseAddress } from "./address.ts";
import { createRealRuntime } from "./real-runtime.ts";
import { RealScheduler } from "./real-scheduler.ts";
import type { Connection, Runtime } from "./runtime.ts";

function temporaryRuntime(): { runtime: Runtime; directory: string; remove: () => void } {
	const directory = mkdtempSync(join(tmpdir(), "quorate-runtime-"));
	const runtime = createRealRuntime({ dataDirectory: directory, logLevel: "error" });
	return { runtime, directory, remove: () => rmSync(directory, { recursive: true }) };
}

test("addresses", (t) => {
	t.deepEqual(parseAddress("localhost:80"), { host: "localhost", port: 80 });
	t.deepEqual(parseAddress("[::1]:0"), { host: "::1", port: 0 });
	for (const bad of ["", "localhost", ":80", "::1:80", "h:70000", "h:-1", "h:", "h:8 "]) {
		t.is(parseAddress(bad), undefined, bad);
	}
	t.true(isLoopbackHost("127.9.0.1"));
	for (const host of ["0.0.0.0", "127.0.0.1.example.org", "10.0.0.1", "127.0.0.999", "::"]) {
		t.false(isLoopbackHost(host), host);
	}
});

test("deferred tasks keep their order, and one that is deferred by one waits for the next turn", async (t) => {
	const scheduler = new RealScheduler();
	const seen: string[] = [];
	scheduler.defer(() => {
		seen.push("a");
		scheduler.defer(() => seen.push("late"));
	});
	scheduler.defer(() => seen.push("b"));
	seen.push("now");
	await scheduler.yield();
	t.deepEqual(seen, ["now", "a", "b"]);
	await scheduler.yield();
	t.deepEqual(seen, ["now", "a", "b", "late"]);
});

test("what a tick's task causes in a later part of it comes in the same tick, also by way of a promise", async (t) => {
	const scheduler = new RealScheduler();
	const seen: string[] = [];
	scheduler.defer(() => seen.push("sent"), "send");
	scheduler.defer(() => {
		seen.push("gathered");
		scheduler.defer(() => seen.push("next"));
		scheduler.defer(() => seen.push("next gathered"), "gather");
		void Promise.resolve().then(() => scheduler.defer(() => seen.push("sent, too"), "send"));
	}, "gather");
	scheduler.defer(() => {
		void Promise.resolve().then(() => scheduler.defer(() => seen.push("late"), "gather"));
		seen.push("done");
	});
	await new Promise<void>((resolve) => scheduler.defer(resolve, "send"));
	t.deepEqual(seen, ["done", "gathered", "late", "sent", "sent, too"]);
	await new Promise<void>((resolve) => scheduler.defer(resolve, "send"));
	t.deepEqual(seen.slice(5), ["next", "next gathered"]);
});

test("a cancelled timer does not fire, a long one is not cut short", async (t) => {
	const scheduler = new RealScheduler();
	let fired = 0;
	const cancelled = scheduler.setTimer(1, () => fired++);
	const long = scheduler.setTimer(2 ** 31 + 5, () => fired++);
	cancelled.cancel();
	await new Promise<void>((resolve) => scheduler.setTimer(10, resolve));
	long.cancel();
	t.is(fired, 0);
});

test("files: write, read, sync, truncate, list, replace, remove", async (t) => {
	const { runtime, directory, remove } = temporaryRuntime();
	const { disk } = runtime;
	t.is(await disk.readWhole("nothing"), undefined);
	t.deepEqual(await disk.list("nothing"), []);
	await t.throwsAsync(disk.open("nothing", "existing"), { code: "ENOENT" });
	await disk.makeDirectory("log/deep");
	const file = await disk.open("log/b", "create");
	await file.write(Uint8Array.of(1, 2, 3), 2);
	await file.sync();
	t.is(await file.size(), 5);
	t.deepEqual(await file.read(0, 100), Uint8Array.of(0, 0, 1, 2, 3));
	await file.truncate(3);
	t.deepEqual(await file.read(2, 5), Uint8Array.of(1));
	await file.close();
	await Promise.all([1, 2, 3].map((n) => disk.replace("log/a", Uint8Array.of(n))));
	await disk.syncDirectory("log");
	t.deepEqual(await disk.list("log"), ["a", "b", "deep"]);
	t.deepEqual(await disk.readWhole("log/a"), Uint8Array.of(3));
	t.deepEqual([...readFileSync(join(directory, "log/a"))], [3]);
	await disk.remove("log/a");
	await t.throwsAsync(disk.remove("log/a"), { code: "ENOENT" });
	await t.throwsAsync(disk.open("../outside", "create"), { code: "EINVAL" });
	remove();
});

test("without a data directory every access rejects", async (t) => {
	const { disk } = createRealRuntime({ logLevel: "error" });
	await t.throwsAsync(disk.list(""), { code: "ENODEV" });
	await t.throwsAsync(disk.replace("a", new Uint8Array(1)), { code: "ENODEV" });
});

test("the lock is exclusive, and ends with its process however that ends", async (t) => {
	const { runtime, directory, remove } = temporaryRuntime();
	const first = await runtime.disk.lock("");
	t.truthy(first);
	t.is(await runtime.disk.lock(""), undefined);
	await first!.release();
	const script = `
		import { createRealRuntime } from ${JSON.stringify(new URL("./real-runtime.js", import.meta.url).href)};
		const r = createRealRuntime({ dataDirectory: ${JSON.stringify(directory)}, logLevel: "error" });
		process.stdout.write((await r.disk.lock("")) === undefined ? "taken" : "held");
		process.kill(process.pid, "SIGKILL");`;
	const holder = await runtime.disk.lock("");
	const run = (): string =>
		spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout;
	t.is(run(), "taken");
	await holder!.release();
	t.is(run(), "held");
	const again = await runtime.disk.lock("");
	t.truthy(again);
	await again!.release();
	remove();
});

const linuxTest = process.platform === "linux" ? test : test.skip;
linuxTest("a lock is had that a child kept until it became another program", async (t) => {
	const { runtime, directory, remove } = temporaryRuntime();
	const { dev, ino } = statSync(directory, { bigint: true });
	// As its copy of the socket goes with the connections that wait at it.
	const copy = createServer((socket) => {
		copy.close();
		socket.destroy();
	});
	copy.listen({ path: `\0quorate-data-${dev}-${ino}` });
	await once(copy, "listening");
	const lock = await runtime.disk.lock("");
	t.truthy(lock);
	t.is(await runtime.disk.lock(""), undefined);
	await lock?.release();
	remove();
});

test("fatal logs the reason, exits with 70 and runs nothing after it", (t) => {
	const script = `
		import { createRealRuntime } from ${JSON.stringify(new URL("./real-runtime.js", import.meta.url).href)};
		process.on("exit", () => console.log("exit hook"));
		setImmediate(() => console.log("later"));
		try { createRealRuntime({ logLevel: "error" }).fatal("fsync failed"); }
		finally { console.log("finally"); }`;
	const result = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
		encoding: "utf8",
	});
	t.is(result.status, 70);
	t.is(result.stdout, "");
	t.is((JSON.parse(result.stderr) as { reason: string }).reason, "fsync failed");
});

test("log lines are JSON, filtered by level, with inherited fields", (t) => {
	const lines: string[] = [];
	const { logger } = createRealRuntime({ logLevel: "info", logSink: (l) => lines.push(l) });
	const loop: Record<string, unknown> = {};
	loop["self"] = loop;
	logger.log("debug", "unseen");
	logger.child({ node: 3 }).log("warn", "two\nlines", { big: 5n, bytes: Uint8Array.of(255, 1) });
	logger.log("error", "loop", loop);
	t.is(lines.length, 2);
	t.like(JSON.parse(lines[0]!), {
		level: "warn",
		message: "two\nlines",
		node: 3,
		big: "5",
		bytes: "ff01",
	});
	t.like(JSON.parse(lines[1]!), { level: "error", message: "loop" });
});

test("network: listen on a free port, send both ways, close, refusal, port in use", async (t) => {
	const { network } = createRealRuntime({ logLevel: "error" });
	const accepted: Connection[] = [];
	const listener = await network.listen("127.0.0.1:0", (connection) => {
		accepted.push(connection);
		connection.onData((bytes) => connection.write(bytes));
	});
	await t.throwsAsync(
		network.listen(listener.address, () => undefined),
		{ code: "EADDRINUSE" },
	);
	const connection = await network.connect(listener.address, 1000);
	const echoed = new Promise<number>((resolve) => {
		let total = 0;
		connection.onData((bytes) => {
			total += bytes.length;
			if (total === 1_000_000) resolve(total);
		});
	});
	connection.write(new Uint8Array(1_000_000));
	t.is(await echoed, 1_000_000);
	const closed = new Promise<Error | undefined>((resolve) => connection.onClose(resolve));
	await listener.close();
	accepted[0]!.end();
	t.is(await closed, undefined);
	await t.throwsAsync(network.connect(listener.address, 1000), { code: "ECONNREFUSED" });
	await t.throwsAsync(network.connect("nonsense", 1000), { code: "EINVAL" });
});

test("network: what was read stays as it was, and who is paused reads nothing", async (t) => {
	const { network } = createRealRuntime({ logLevel: "error" });
	const accepted: Connection[] = [];
	let both = (): void => {};
	const bothAccepted = new Promise<void>((resolve) => {
		both = resolve;
	});
	const listener = await network.listen("127.0.0.1:0", (connection) => {
		if (accepted.push(connection) === 2) both();
	});
	const dialled = [
		await network.connect(listener.address, 1000),
		await network.connect(listener.address, 1000),
	];
	await bothAccepted;
	const pairs = [
		[dialled[0]!, accepted[0]!],
		[accepted[1]!, dialled[1]!],
	] as const;
	const kept: Uint8Array[][] = [[], []];
	let come = (): void => {};
	const send = async (n: number, text: string): Promise<void> => {
		const came = new Promise<void>((resolve) => {
			come = resolve;
		});
		pairs[n]![0].write(Buffer.from(text));
		await came;
	};
	const keep = (n: number): void =>
		pairs[n]![1].onData((bytes) => {
			kept[n]!.push(bytes);
			come();
		});
	keep(1);
	pairs[0][0].write(Buffer.from("early"));
	await send(1, "meanwhile");
	const earlyCame = new Promise<void>((resolve) => {
		come = resolve;
	});
	keep(0);
	await earlyCame;
	for (const [n, [from, to]] of pairs.entries()) {
		const other = 1 - n;
		await send(n, "first");
		to.pause();
		from.write(Buffer.from("second"));
		await send(other, "meanwhile");
		t.is(kept[n]!.length, n + 2);
		const came = new Promise<void>((resolve) => {
			come = resolve;
		});
		to.resume();
		await came;
	}
	const texts = kept.map((all) => all.map((bytes) => Buffer.from(bytes).toString()));
	t.deepEqual(texts, [
		["early", "first", "second", "meanwhile"],
		["meanwhile", "meanwhile", "first", "second"],
	]);
	for (const connection of dialled) connection.destroy();
	await listener.close();
});

test("an existing data directory is opened, not emptied", async (t) => {
	const { directory, remove } = temporaryRuntime();
	writeFileSync(join(directory, "kept"), "x");
	const again = createRealRuntime({ dataDirectory: directory, logLevel: "error" });
	t.deepEqual(await again.disk.list(""), ["kept"]);
	remove();
});
