import { InvariantError } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { bootId, clusterId, type NodeId, nodeId } from "@quorate/keys/ids";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Connection, Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { encodeMessage } from "./codec.ts";
import { FrameReader } from "./frame-reader.ts";
import { decodeGreeting, encodeGreeting, FORMAT_VERSION } from "./handshake.ts";
import { createRpc, type ListeningRpc } from "./rpc.ts";
import { type Peer, RpcError } from "./types.ts";

const CLUSTER = clusterId("c0ffee");
const SECOND = { timeoutMs: 5000 };

interface TestNode {
	readonly rpc: ListeningRpc;
	readonly addresses: Map<NodeId, string>;
	readonly log: string[];
	readonly runtime: Runtime;
}

async function startNode(
	id: number | undefined,
	options: {
		boot?: string;
		cluster?: string;
		listen?: string;
		wrap?: (r: Runtime) => Runtime;
		removed?: { readonly nodes: Set<NodeId>; readonly certificates: Set<string> };
		onBarred?: (why: string) => void;
	} = {},
): Promise<TestNode> {
	const log: string[] = [];
	const real = createRealRuntime({ logLevel: "warn", logSink: (line) => log.push(line) });
	const runtime = options.wrap?.(real) ?? real;
	const addresses = new Map<NodeId, string>();
	const rpc = await createRpc({
		runtime,
		self: {
			bootId: bootId(options.boot ?? `${id}.boot`),
			...(id === undefined
				? {}
				: { clusterId: clusterId(options.cluster ?? CLUSTER), nodeId: nodeId(id) }),
		},
		addressBook: { addressOf: (node) => addresses.get(node) },
		listenAddress: options.listen ?? "127.0.0.1:0",
		onPeer: (peer, address) => addresses.set(peer.nodeId, address),
		whyBarred: (node, certificate) =>
			options.removed?.nodes.has(node!) || options.removed?.certificates.has(certificate!)
				? `node ${node} was removed`
				: undefined,
		...(options.onBarred === undefined ? {} : { onBarred: options.onBarred }),
	});
	return { rpc, addresses, log, runtime };
}

async function pair(): Promise<{ a: TestNode; b: TestNode; close: () => Promise<unknown> }> {
	const a = await startNode(1);
	const b = await startNode(2);
	a.addresses.set(nodeId(2), b.rpc.address);
	b.addresses.set(nodeId(1), a.rpc.address);
	return { a, b, close: () => Promise.all([a.rpc.close(), b.rpc.close()]) };
}

const failure = (f: string) => (error: unknown) => error instanceof RpcError && error.failure === f;

/** Polls; for conditions that no event announces. */
async function until(runtime: Runtime, condition: () => boolean | Promise<boolean>): Promise<void> {
	while (!(await condition())) await new Promise<void>((r) => runtime.scheduler.setTimer(5, r));
}

test("calls are answered, with the caller's identity, and errors keep their kind", async (t) => {
	const { a, b, close } = await pair();
	const seen: (Peer | undefined)[] = [];
	b.rpc.handle("echo", (body, from) => {
		seen.push(from);
		return body;
	});
	b.rpc.handle("later", async (body) => body);
	b.rpc.handle("nothing", () => undefined);
	b.rpc.handle("database", () => {
		throw new DatabaseError("40001", "could not serialize", { hint: "retry", position: 3 });
	});
	b.rpc.handle("broken", async () => {
		throw new TypeError("x is not y");
	});
	const body = { key: Uint8Array.of(0, 255), n: 2 ** 53 - 1, list: [null, "text"] };
	t.deepEqual(await a.rpc.call(nodeId(2), "echo", body, SECOND), body);
	t.deepEqual(seen, [{ nodeId: nodeId(1), bootId: bootId("1.boot") }]);
	t.is(await a.rpc.callAddress(b.rpc.address, "later", 5, SECOND), 5);
	t.is(await a.rpc.call(nodeId(2), "nothing", null, SECOND), undefined);
	const error = await t.throwsAsync(a.rpc.call(nodeId(2), "database", 1, SECOND), {
		instanceOf: DatabaseError,
	});
	t.like(error, {
		code: "40001",
		message: "could not serialize",
		fields: { hint: "retry", position: 3 },
	});
	await t.throwsAsync(a.rpc.call(nodeId(2), "broken", 1, SECOND), {
		instanceOf: RpcError,
		message: /broken failed: x is not y/,
	});
	t.regex(b.log.join(), /x is not y/);
	await t.throwsAsync(a.rpc.call(nodeId(2), "missing", 1, SECOND), {
		message: /no method missing/,
	});
	await close();
});

test("a node calls and sends to itself in process, after the tick", async (t) => {
	const { a, close } = await pair();
	const order: unknown[] = [];
	const body = { same: true };
	a.rpc.handle("self", (got, from) => {
		order.push(got === body, from);
		return got;
	});
	a.rpc.handle("fail", () => {
		throw new DatabaseError("23505", "duplicate");
	});
	const answer = a.rpc.call(nodeId(1), "self", body, SECOND);
	a.rpc.send(nodeId(1), "self", body);
	order.push("called");
	t.is(await answer, body);
	const peer = { nodeId: nodeId(1), bootId: bootId("1.boot") };
	t.deepEqual(order, ["called", true, peer, true, peer]);
	t.is(await a.rpc.callAddress(a.rpc.address, "self", body, SECOND), body);
	await t.throwsAsync(a.rpc.call(nodeId(1), "fail", 1, SECOND), { code: "23505" });
	await close();
});

test("one-way messages and calls arrive in order, and a tick's messages leave as one write", async (t) => {
	const { b, close: closeB } = await pair();
	const pingBytesMax = 8;
	let writes = 0;
	const a = await startNode(3, {
		wrap: (r) => ({
			...r,
			network: {
				listen: (address, accept) => r.network.listen(address, accept),
				connect: async (address, timeoutMs) => {
					const c = await r.network.connect(address, timeoutMs);
					const write = c.write.bind(c);
					c.write = (bytes) => {
						// A ping may come at any time.
						if (bytes.length > pingBytesMax) writes++;
						return write(bytes);
					};
					return c;
				},
			},
		}),
	});
	a.addresses.set(nodeId(2), b.rpc.address);
	const got: number[] = [];
	b.rpc.handle("n", (n) => void got.push(n as number));
	await a.rpc.call(nodeId(2), "n", -1, SECOND);
	writes = 0;
	for (let i = 0; i < 100; i++) a.rpc.send(nodeId(2), "n", i);
	await a.rpc.call(nodeId(2), "n", 100, SECOND);
	t.deepEqual(got, [-1, ...Array.from({ length: 101 }, (_, i) => i)]);
	t.is(writes, 1);
	await a.rpc.close();
	await closeB();
});

test("failures say what is known about delivery", async (t) => {
	const { a, b, close } = await pair();
	a.addresses.set(nodeId(9), "127.0.0.1:1");
	await t.throwsAsync(a.rpc.call(nodeId(8), "x", 1, SECOND), { message: /address is not known/ });
	const refused = await t.throwsAsync(a.rpc.call(nodeId(9), "x", 1, SECOND));
	t.true(failure("unreachable")(refused));
	t.true(failure("unreachable")(await t.throwsAsync(a.rpc.call(nodeId(9), "x", 1, SECOND))));
	b.rpc.handle("never", () => new Promise(() => undefined));
	let reached = false;
	b.rpc.handle("never again", () => {
		reached = true;
		return new Promise(() => undefined);
	});
	t.true(
		failure("timeout")(await t.throwsAsync(a.rpc.call(nodeId(2), "never", 1, { timeoutMs: 30 }))),
	);
	const lost: NodeId[] = [];
	a.rpc.onDisconnect((node) => lost.push(node));
	const call = a.rpc.call(nodeId(2), "never again", 1, { timeoutMs: 60_000 });
	await until(a.runtime, () => reached);
	await b.rpc.close();
	t.true(failure("lost")(await t.throwsAsync(call)));
	t.deepEqual(lost, [nodeId(2)]);
	await close();
	t.true(failure("unreachable")(await t.throwsAsync(a.rpc.call(nodeId(2), "x", 1, SECOND))));
});

test("who only hears a node is told when it is lost, after all that it had sent", async (t) => {
	const { a, b, close } = await pair();
	const seen: unknown[] = [];
	b.rpc.handle("word", (body) => void seen.push(body));
	b.rpc.onDisconnect((node) => seen.push(node));
	a.rpc.send(nodeId(2), "word", "one");
	a.rpc.send(nodeId(2), "word", "two");
	await until(b.runtime, () => seen.length === 2);
	await a.rpc.close();
	await until(b.runtime, () => seen.length === 3);
	t.deepEqual(seen, ["one", "two", nodeId(1)]);
	await close();
});

test("nobody waits for a node that was lost while it is being looked for", async (t) => {
	let attempts = 0;
	let isMute = false;
	const { b, close: closeB } = await pair();
	const a = await startNode(3, {
		wrap: (r) => ({
			...r,
			network: {
				listen: (address, accept) => r.network.listen(address, accept),
				connect: (address, timeoutMs) => {
					attempts++;
					return isMute ? new Promise(() => undefined) : r.network.connect(address, timeoutMs);
				},
			},
		}),
	});
	a.addresses.set(nodeId(2), b.rpc.address);
	b.rpc.handle("x", () => 1);
	t.is(await a.rpc.call(nodeId(2), "x", 1, SECOND), 1);
	isMute = true;
	const lost = new Promise<void>((resolve) => a.rpc.onDisconnect(() => resolve()));
	await b.rpc.close();
	await lost;
	// Its machine answers nothing: an attempt to connect to it ends after a while.
	while (attempts < 2) {
		const error = await t.throwsAsync(a.rpc.call(nodeId(2), "x", 1, { timeoutMs: 60_000 }));
		t.true(failure("unreachable")(error));
		await a.runtime.scheduler.yield();
	}
	const error = await t.throwsAsync(a.rpc.call(nodeId(2), "x", 1, { timeoutMs: 60_000 }));
	t.true(failure("unreachable")(error));
	await a.rpc.close();
	await closeB();
});

test("other clusters, other versions and second holders of a node id are refused by name", async (t) => {
	const { a, b, close } = await pair();
	const stranger = await startNode(5, { cluster: "deadbeef" });
	const error = await t.throwsAsync(stranger.rpc.callAddress(b.rpc.address, "x", 1, SECOND));
	t.true(failure("refused")(error));
	t.regex(error.message, /c0ffee/);
	t.regex(error.message, /deadbeef/);
	const twin = await startNode(2, { boot: "2.other" });
	t.regex(
		(await t.throwsAsync(twin.rpc.callAddress(b.rpc.address, "x", 1, SECOND))).message,
		/claim to be node 2/,
	);
	const future = await a.runtime.network.listen("127.0.0.1:0", (connection) => {
		connection.onData(() => {
			const greeting = {
				bootId: bootId("7.x"),
				clusterId: CLUSTER,
				nodeId: nodeId(7),
				address: "h:1",
			};
			connection.write(encodeGreeting(greeting, FORMAT_VERSION + 1));
		});
	});
	const versions = await t.throwsAsync(a.rpc.callAddress(future.address, "x", 1, SECOND));
	t.true(failure("refused")(versions));
	t.regex(versions.message, /speaks version 2 .* speaks version 3/);
	await Promise.all([future.close(), stranger.rpc.close(), twin.rpc.close(), close()]);
});

/** A runtime whose connections that come in say this of their peers' certificates. */
const withPeer =
	(peer: () => Pick<Connection, "certifies" | "certificate">) =>
	(real: Runtime): Runtime => ({
		...real,
		network: {
			connect: (address, timeoutMs) => real.network.connect(address, timeoutMs),
			listen: (address, onConnection) =>
				real.network.listen(address, (connection) => {
					onConnection(Object.assign(connection, peer()));
				}),
		},
	});

test("under TLS a node is who its certificate says, and who it was", async (t) => {
	const hosts = new Set<string>();
	const certified = withPeer(() => ({ certifies: (host) => hosts.has(host) }));
	const a = await startNode(1, { wrap: certified });
	a.rpc.handle("x", (body) => body);
	const call = async (id: number): Promise<string> => {
		const b = await startNode(id);
		try {
			return String(await b.rpc.callAddress(a.rpc.address, "x", "done", SECOND));
		} catch (error) {
			t.true(failure("refused")(error));
			return (error as Error).message;
		} finally {
			await b.rpc.close();
		}
	};
	t.regex(await call(2), /certificate of .* is not one of 127\.0\.0\.1/);
	hosts.add("127.0.0.1");
	t.is(await call(2), "done");
	a.addresses.set(nodeId(3), "10.0.0.3:7000");
	t.regex(await call(3), /is not one of 10\.0\.0\.3, where node 3 was last known to listen/);
	t.is(a.addresses.get(nodeId(3)), "10.0.0.3:7000", "nobody is sent elsewhere");
	hosts.add("10.0.0.3");
	t.is(await call(3), "done");
	await a.rpc.close();
});

test("who was removed is refused, under its identity and with its certificate, and what it has ends", async (t) => {
	const removed = { nodes: new Set<NodeId>(), certificates: new Set<string>() };
	let certificate = "one";
	const certified = withPeer(() => ({ certifies: () => true, certificate }));
	const a = await startNode(1, { wrap: certified, removed });
	a.rpc.handle("x", (body) => body);
	const told: string[] = [];
	const b = await startNode(2, { onBarred: (why) => told.push(why) });
	const call = (node: TestNode) => node.rpc.callAddress(a.rpc.address, "x", "done", SECOND);
	t.is(await call(b), "done");
	let lost = 0;
	b.rpc.onDisconnect(() => lost++);
	removed.nodes.add(nodeId(2));
	await until(b.runtime, () => {
		call(b).catch(() => {});
		return lost === 1 && told.length > 0;
	});
	await t.throwsAsync(call(b), { message: /node 2 was removed/ });
	t.deepEqual([...new Set(told)], ["node 2 was removed"]);
	removed.nodes.clear();
	removed.certificates.add("one");
	const stranger = await startNode(undefined);
	await t.throwsAsync(call(stranger), { message: /was removed/ });
	certificate = "another";
	const renewed = await startNode(undefined);
	t.is(await call(renewed), "done");
	await Promise.all([a, b, stranger, renewed].map(({ rpc }) => rpc.close()));
});

test("who connects and says nothing does not take all room", async (t) => {
	const a = await startNode(1);
	let closed = 0;
	const silent = [];
	for (let i = 0; i < 80; i++) {
		const connection = await a.runtime.network.connect(a.rpc.address, 10_000);
		connection.onData(() => {});
		connection.onClose(() => closed++);
		silent.push(connection);
	}
	await until(a.runtime, () => closed >= 16);
	t.true(closed < 80, "the others are cut when they have been silent for long");
	for (const connection of silent) connection.destroy();
	await until(a.runtime, () => closed === 80);
	const b = await startNode(2);
	a.rpc.handle("x", (body) => body);
	// Who is refused tries again: that the others have gone comes to the listener a moment after they have.
	const asks = async (): Promise<boolean> => {
		try {
			t.is(await b.rpc.callAddress(a.rpc.address, "x", 1, SECOND), 1);
			return true;
		} catch (error) {
			t.true(failure("unreachable")(error), String(error));
			return false;
		}
	};
	await until(a.runtime, asks);
	await Promise.all([a.rpc.close(), b.rpc.close()]);
});

test("a message for a node is not given to another one at its address", async (t) => {
	const { a, b, close } = await pair();
	let reached = 0;
	b.rpc.handle("x", () => void reached++);
	a.addresses.set(nodeId(3), b.rpc.address);
	a.rpc.send(nodeId(3), "x", 1);
	const error = await t.throwsAsync(a.rpc.call(nodeId(3), "x", 1, SECOND));
	t.true(failure("unreachable")(error));
	t.regex(error.message, /is node 2, not node 3/);
	a.rpc.send(nodeId(3), "x", 1);
	await a.rpc.call(nodeId(2), "x", 1, SECOND);
	t.is(reached, 1);
	await close();
});

test("a node joins: calls by address first, then an identity on the same connections", async (t) => {
	const { a, b, close } = await pair();
	const joining = await startNode(undefined, { boot: "new" });
	const from: (Peer | undefined)[] = [];
	b.rpc.handle("who", (_body, peer) => void from.push(peer));
	joining.rpc.handle("hello", () => "hi");
	await joining.rpc.callAddress(b.rpc.address, "who", 1, SECOND);
	b.addresses.set(nodeId(3), joining.rpc.address);
	await t.throwsAsync(b.rpc.call(nodeId(3), "hello", 1, SECOND), { message: /without identity/ });
	joining.rpc.identify({ clusterId: CLUSTER, nodeId: nodeId(3) });
	await joining.rpc.callAddress(b.rpc.address, "who", 1, SECOND);
	t.deepEqual(from, [undefined, { nodeId: nodeId(3), bootId: bootId("new") }]);
	t.is(b.addresses.get(nodeId(3)), joining.rpc.address);
	t.is(await b.rpc.call(nodeId(3), "hello", 1, SECOND), "hi");
	t.throws(() => joining.rpc.identify({ clusterId: CLUSTER, nodeId: nodeId(4) }), {
		instanceOf: InvariantError,
	});
	await joining.rpc.close();
	await close();
	t.is(a.log.length, 0);
});

test("a restarted node is recognised, and reached again", async (t) => {
	const { a, b, close } = await pair();
	b.rpc.handle("boot", () => "first");
	t.is(await a.rpc.call(nodeId(2), "boot", 1, SECOND), "first");
	const address = b.rpc.address;
	await b.rpc.close();
	const again = await startNode(2, { boot: "2.second", listen: address });
	again.rpc.handle("boot", () => "second");
	again.addresses.set(nodeId(1), a.rpc.address);
	let from: Peer | undefined;
	a.rpc.handle("seen", (_b, peer) => {
		from = peer;
	});
	await again.rpc.call(nodeId(1), "seen", 1, SECOND);
	t.is(from?.bootId, bootId("2.second"));
	let answer: unknown;
	while (answer === undefined) {
		answer = await a.rpc.call(nodeId(2), "boot", 1, SECOND).catch(async () => {
			await a.runtime.scheduler.yield();
			return undefined;
		});
	}
	t.is(answer, "second");
	await Promise.all([again.rpc.close(), close()]);
});

test("a new boot of a node closes the link to the old one", async (t) => {
	const { a, b, close } = await pair();
	b.rpc.handle("never", () => new Promise(() => undefined));
	let reached = false;
	b.rpc.handle("mark", () => {
		reached = true;
	});
	const call = a.rpc.call(nodeId(2), "never", 1, SECOND);
	await a.rpc.call(nodeId(2), "mark", 1, SECOND);
	t.true(reached);
	const second = await startNode(2, { boot: "2.second" });
	a.rpc.handle("x", () => 1);
	await second.rpc.callAddress(a.rpc.address, "x", 1, SECOND);
	const error = await t.throwsAsync(call);
	t.true(failure("lost")(error));
	t.regex(error.message, /restarted/);
	await Promise.all([second.rpc.close(), close()]);
});

/** Connects as a peer would, and greets. */
async function raw(
	node: TestNode,
	greet = true,
): Promise<{ c: Connection; closed: Promise<void> }> {
	const c = await node.runtime.network.connect(node.rpc.address, 60_000);
	const closed = new Promise<void>((resolve) => c.onClose(() => resolve()));
	if (greet) {
		const greeted = new Promise<void>((resolve) => {
			const reader = new FrameReader(10_000);
			c.onData((bytes) =>
				reader.push(bytes, (message) => {
					if (decodeGreeting(message).kind === "greeting") resolve();
					return true;
				}),
			);
		});
		c.write(
			encodeGreeting({
				bootId: bootId("9.raw"),
				clusterId: CLUSTER,
				nodeId: nodeId(9),
				address: "x:9",
			}),
		);
		await greeted;
	}
	return { c, closed };
}

test("hostile bytes end their connection and nothing else", async (t) => {
	const { a, b, close } = await pair();
	b.rpc.handle("echo", (body) => body);
	const bad: [string, boolean, Uint8Array][] = [
		["http", false, Buffer.from("GET / HTTP/1.1\r\n\r\n")],
		["huge announcement", false, Uint8Array.of(0x7f, 0, 0, 0)],
		["huge announcement later", true, Uint8Array.of(0x01, 0, 0, 1)],
		["no MessagePack", true, Uint8Array.of(0, 0, 0, 2, 0xc1, 0xc1)],
		[
			"deep nesting",
			true,
			Buffer.concat([Uint8Array.of(0, 1, 0, 0), new Uint8Array(65536).fill(0x91)]),
		],
		["unknown kind", true, encodeMessage([99])],
		["no array", true, Uint8Array.of(0, 0, 0, 1, 5)],
		["no method", true, encodeMessage([1, 1, 5, null])],
		["no call id", true, encodeMessage([1, "x", "echo", null])],
		["stolen identity", true, encodeMessage([8, CLUSTER, 2])],
		["wrong cluster", true, encodeMessage([8, "other", 9])],
		["invalid greeting", false, encodeMessage([1, 2, 3])],
	];
	for (const [name, greet, bytes] of bad) {
		const { c, closed } = await raw(b, greet);
		c.write(bytes);
		await closed;
		t.pass(name);
	}
	t.is(await a.rpc.call(nodeId(2), "echo", 1, SECOND), 1);
	await close();
});

test("a peer that answers with nonsense is dropped, and its calls are lost", async (t) => {
	const { a, close } = await pair();
	for (const nonsense of [[3, "id", 1], [4, 1, { code: 5 }], [5, 1, null], [77], "text"]) {
		const liar = await a.runtime.network.listen("127.0.0.1:0", (connection) => {
			connection.write(
				encodeGreeting({
					bootId: bootId("x"),
					clusterId: CLUSTER,
					nodeId: nodeId(6),
					address: "x:6",
				}),
			);
			let first = true;
			connection.onData(() => {
				if (!first) connection.write(encodeMessage(nonsense as unknown[]));
				first = false;
			});
		});
		const error = await t.throwsAsync(a.rpc.callAddress(liar.address, "x", 1, SECOND));
		t.true(failure("lost")(error), error.message);
		await liar.close();
	}
	await close();
});

test("messages have a size limit", async (t) => {
	const { a, b, close } = await pair();
	b.rpc.handle("size", (body) => (body as Uint8Array).length);
	b.rpc.handle("large", () => new Uint8Array(17 * 1024 * 1024));
	t.is(
		await a.rpc.call(nodeId(2), "size", new Uint8Array(15 * 1024 * 1024), SECOND),
		15 * 1024 * 1024,
	);
	const large = new Uint8Array(17 * 1024 * 1024);
	await t.throwsAsync(a.rpc.call(nodeId(2), "size", large, SECOND), { code: "54000" });
	await t.throwsAsync(a.rpc.call(nodeId(2), "large", 1, SECOND), { code: "54000" });
	a.rpc.send(nodeId(2), "size", large);
	t.is(await a.rpc.call(nodeId(2), "size", new Uint8Array(1), SECOND), 1);
	await close();
});

test("only loopback addresses may be listened on", async (t) => {
	for (const listen of ["0.0.0.0:0", "192.168.1.1:7000", "[::]:0"]) {
		await t.throwsAsync(startNode(1, { listen }), { code: "F0000", message: /not encrypted/ });
	}
	await t.throwsAsync(startNode(1, { listen: "nonsense" }), { code: "F0000" });
	const a = await startNode(1);
	await t.throwsAsync(startNode(2, { listen: a.rpc.address }), { code: "EADDRINUSE" });
	await a.rpc.close();
});

test("a broken invariant in a handler stops the node", async (t) => {
	const { a, close } = await pair();
	let stop: (reason: string) => void = () => undefined;
	const stopped = new Promise<string>((resolve) => {
		stop = resolve;
	});
	const b = await startNode(4, {
		wrap: (r) => ({
			...r,
			fatal: (why) => {
				stop(why);
				throw new Error("stopped");
			},
		}),
	});
	b.rpc.handle("invariant", () => {
		throw new InvariantError("L3: two leaseholders");
	});
	const options = { timeoutMs: 600_000 };
	const called = t.throwsAsync(a.rpc.callAddress(b.rpc.address, "invariant", 1, options));
	t.regex(await stopped, /L3: two leaseholders/);
	await b.rpc.close();
	await called;
	await close();
});
