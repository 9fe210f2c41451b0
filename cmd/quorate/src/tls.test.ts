/** Certificates that `quorate cert create` makes, in use: towards clients and between nodes. */
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Connection, TlsCredentials, TlsPeer } from "@quorate/runtime/runtime";
import test from "ava";
import { runCertCreate } from "./run-cert.ts";

const dir = mkdtempSync(join(tmpdir(), "quorate-tls-"));
const text = (name: string): string => readFileSync(join(dir, name), "utf8");
const credentials = (name: string, ca: string): TlsCredentials => ({
	certificate: text(`${name}.crt`),
	key: text(`${name}.key`),
	authorities: text(`${ca}.crt`),
});

test.before(() => runCertCreate({ dir, host: ["127.0.0.1", "localhost"], user: ["ann"] }));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

const { network } = createRealRuntime({ logLevel: "error" });

test("keys are for their owner only, and nothing is overwritten", (t) => {
	t.is(statSync(join(dir, "ca.key")).mode & 0o777, 0o600);
	const before = text("server.crt");
	runCertCreate({ dir, host: ["elsewhere"], user: [] });
	t.is(text("server.crt"), before);
	const server = new X509Certificate(before);
	t.true(server.checkIssued(new X509Certificate(text("ca.crt"))));
	t.false(server.verify(new X509Certificate(text("node-ca.crt")).publicKey));
	t.is(server.checkIP("127.0.0.1"), "127.0.0.1");
	t.is(server.checkHost("elsewhere"), undefined);
});

/** A server that goes over to TLS at the first byte, and answers with what it gets. */
async function upgrading(shown = credentials("server", "ca")): Promise<{
	readonly port: number;
	readonly peers: Promise<TlsPeer>[];
	close(): Promise<void>;
}> {
	const acceptor = network.tlsAcceptor!(shown);
	const peers: Promise<TlsPeer>[] = [];
	const listener = await network.listen("127.0.0.1:0", (connection: Connection) => {
		let first = true;
		connection.onData((bytes) => {
			if (!first) {
				connection.write(bytes);
				return;
			}
			first = false;
			connection.write(Buffer.from("S"));
			const peer = connection.startTls!(acceptor);
			peer.catch(() => connection.destroy());
			peers.push(peer);
		});
		connection.onClose(() => {});
	});
	const port = Number(listener.address.split(":").at(-1));
	return { port, peers, close: () => listener.close() };
}

const once = (socket: Socket, event: string): Promise<unknown> =>
	new Promise((resolve, reject) => {
		socket.once(event, resolve);
		if (event !== "error") socket.once("error", reject);
	});

async function secured(port: number, options: object): Promise<TLSSocket> {
	const socket = connectPlain(port, "127.0.0.1");
	await once(socket, "connect");
	socket.write("?");
	await once(socket, "data");
	const secure = connect({ socket, host: "127.0.0.1", ...options });
	await once(secure, "secureConnect");
	return secure;
}

test("a connection goes on under TLS; a client's certificate is believed if its authority is known", async (t) => {
	const server = await upgrading();
	const ca = text("ca.crt");
	const cases = [
		[{}, undefined],
		[{ cert: text("client.ann.crt"), key: text("client.ann.key") }, "ann"],
		[{ cert: text("node.crt"), key: text("node.key") }, undefined],
	] as const;
	for (const [i, [options, name]] of cases.entries()) {
		const client = await secured(server.port, { ca, ...options });
		client.write("hello");
		t.is(String(await once(client, "data")), "hello");
		const peer = await server.peers[i]!;
		const distinguishedName = `CN=${name}`;
		t.deepEqual(peer.subject, name && { commonName: name, distinguishedName });
		t.is(peer.protocol, "TLSv1.3");
		client.destroy();
	}
	await server.close();
});

test("without an authority no certificate of a client is believed", async (t) => {
	const server = await upgrading({ ...credentials("server", "ca"), authorities: undefined });
	const shown = { cert: text("client.ann.crt"), key: text("client.ann.key") };
	const client = await secured(server.port, { ca: text("ca.crt"), ...shown });
	t.is((await server.peers[0]!).subject, undefined);
	client.destroy();
	await server.close();
});

test("another authority, another host and old protocols are refused", async (t) => {
	const server = await upgrading();
	await t.throwsAsync(secured(server.port, { ca: text("node-ca.crt") }));
	await t.throwsAsync(
		secured(server.port, { ca: text("ca.crt"), host: "elsewhere", servername: "elsewhere" }),
	);
	await t.throwsAsync(
		secured(server.port, { ca: text("ca.crt"), maxVersion: "TLSv1.1", minVersion: "TLSv1" }),
	);
	const garbage = connectPlain(server.port, "127.0.0.1");
	await once(garbage, "connect");
	garbage.write("?");
	await once(garbage, "data");
	garbage.write("this is no TLS at all, is it? ".repeat(10));
	await once(garbage, "close");
	await t.throwsAsync(server.peers.at(-1)!);
	const client = await secured(server.port, { ca: text("ca.crt") });
	client.destroy();
	await server.close();
});

test("what channel binding binds to is the certificate, and follows a new one", (t) => {
	const acceptor = network.tlsAcceptor!(credentials("server", "ca"));
	const hashOf = (name: string) =>
		createHash("sha256")
			.update(new X509Certificate(text(`${name}.crt`)).raw)
			.digest();
	t.deepEqual(Buffer.from(acceptor.endpointHash), hashOf("server"));
	t.throws(() => acceptor.update({ ...credentials("server", "ca"), certificate: "nonsense" }));
	t.throws(() => acceptor.update({ ...credentials("server", "ca"), key: text("node.key") }));
	t.deepEqual(Buffer.from(acceptor.endpointHash), hashOf("server"));
	acceptor.update(credentials("client.ann", "ca"));
	t.deepEqual(Buffer.from(acceptor.endpointHash), hashOf("client.ann"));
});

test("nodes talk to nodes only", async (t) => {
	const nodes = network.secured!(credentials("node", "node-ca"));
	const accepted: Connection[] = [];
	const listener = await nodes.listen("127.0.0.1:0", (connection) => {
		accepted.push(connection);
		connection.onData((bytes) => connection.write(bytes));
		connection.onClose(() => {});
	});
	const connection = await nodes.connect(listener.address, 10_000);
	const answer = new Promise<string>((resolve) =>
		connection.onData((bytes) => resolve(String(bytes))),
	);
	connection.write(Buffer.from("hello"));
	t.is(await answer, "hello");
	for (const end of [connection, accepted[0]!]) {
		t.true(end.certifies!("127.0.0.1"));
		t.true(end.certifies!("localhost"));
		t.false(end.certifies!("10.0.0.1"));
		t.is(end.certificate, nodes.certificate);
	}
	connection.destroy();
	// What a client has opens nothing here: under TLS 1.3 it learns so after its own side is done.
	const strangers = [credentials("client.ann", "node-ca"), credentials("server", "node-ca")];
	for (const stranger of strangers) {
		const link = network.secured!(stranger).connect(listener.address, 10_000);
		const end = await link.then(
			(one) => new Promise<string>((resolve) => one.onClose(() => resolve("closed"))),
			() => "refused",
		);
		t.regex(end, /closed|refused/);
	}
	await t.throwsAsync(
		network.secured!(credentials("node", "ca")).connect(listener.address, 10_000),
	);
	t.is(accepted.length, 1);
	await listener.close();
});
