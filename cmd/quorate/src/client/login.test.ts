/** Towards a real server with passwords and TLS, and towards one that only pretends. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHba } from "@quorate/pgwire/hba";
import { createPgServer } from "@quorate/pgwire/pg-server";
import { FakeSessions } from "@quorate/pgwire/testing/fake-session";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import { makeVerifier } from "@quorate/sql/auth/scram-verifier";
import test from "ava";
import { runCertCreate } from "../run-cert.ts";
import { connectionOptions } from "./connection-options.ts";
import { passwordIn } from "./password-file.ts";
import { PgClient } from "./pg-client.ts";

const dir = mkdtempSync(join(tmpdir(), "quorate-login-"));
const file = (name: string): string => join(dir, name);
const text = (name: string): string => readFileSync(file(name), "utf8");

test.before(() => runCertCreate({ dir, host: ["127.0.0.1"], user: ["ann"] }));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

async function serving(rules: string, withTls: boolean) {
	const runtime = createRealRuntime({ logLevel: "error" });
	const sessions = new FakeSessions();
	sessions.verifiers.set("ann", makeVerifier("pencil", Buffer.alloc(16, 3)));
	const tls = runtime.network.tlsAcceptor!({
		certificate: text("server.crt"),
		key: text("server.key"),
		authorities: text("ca.crt"),
	});
	const server = await createPgServer({
		runtime,
		sessions,
		listenAddress: "127.0.0.1:0",
		security: {
			rules: await parseHba(rules),
			tls: withTls ? tls : undefined,
			plaintextAllowed: false,
		},
	});
	return { server, port: Number(server.address.split(":").at(-1)) };
}

/** What became of it, in a word: the message where it failed. `env` stands for PG* variables. */
async function outcome(
	port: number,
	query: string,
	env: Record<string, string> = {},
	ask?: () => Promise<string>,
): Promise<string> {
	const url = `postgresql://ann@127.0.0.1:${port}/d?${query}`;
	const options = connectionOptions(url, { PGPASSFILE: file("none"), ...env });
	try {
		const client = await PgClient.connect(options, ask);
		await client.end();
		return "in";
	} catch (error) {
		return (error as Error).message;
	}
}

const secret = { PGPASSWORD: "pencil" };

test("passwords: from a variable, a file or the user, and each wrong way says why", async (t) => {
	const { server, port } = await serving("host all all all scram-sha-256", false);
	t.is(await outcome(port, "", secret), "in");
	t.is(await outcome(port, "password=pencil"), "in");
	t.regex(await outcome(port, "", { PGPASSWORD: "pen" }), /^password authentication failed/);
	t.regex(await outcome(port, ""), /^the server asks for a password: give PGPASSWORD/);
	t.is(await outcome(port, "", {}, async () => "pencil"), "in");
	writeFileSync(file("pass"), `other:*:*:ann:no\n127.0.0.1:${port}:*:ann:pencil\n`, {
		mode: 0o600,
	});
	t.is(await outcome(port, "", { PGPASSFILE: file("pass") }), "in");
	chmodSync(file("pass"), 0o644);
	t.regex(await outcome(port, "", { PGPASSFILE: file("pass") }), /^the server asks for a password/);
	t.regex(await outcome(port, "channel_binding=require", secret), /no TLS to bind to/);
	t.regex(await outcome(port, "sslmode=require", secret), /does not speak TLS/);
	await server.close();
});

test("TLS: each sslmode asks for as much as libpq's", async (t) => {
	const { server, port } = await serving("hostssl all all all scram-sha-256", true);
	const root = `sslrootcert=${file("ca.crt")}`;
	const wrong = `sslrootcert=${file("node-ca.crt")}`;
	t.is(await outcome(port, "", secret), "in");
	t.is(await outcome(port, `sslmode=verify-full&${root}`, secret), "in");
	t.is(await outcome(port, `sslmode=verify-full&${root}&channel_binding=require`, secret), "in");
	t.regex(await outcome(port, "sslmode=disable", secret), /no pg_hba.conf entry.*no encryption/);
	t.is(await outcome(port, "sslmode=require", secret), "in");
	for (const mode of ["require", "verify-ca", "verify-full"]) {
		t.regex(await outcome(port, `sslmode=${mode}&${wrong}`, secret), /^TLS: /, mode);
	}
	t.regex(
		await outcome(port, `sslmode=verify-full&sslrootcert=${file("x")}`),
		/^cannot read the root/,
	);
	await server.close();
});

test("a name that is not the certificate's is refused by verify-full, and by no other mode", async (t) => {
	const { server, port } = await serving("hostssl all all all scram-sha-256", true);
	for (const [mode, expected] of [
		["verify-ca", /^in$/],
		["verify-full", /^TLS: .*(altnames|alt)/i],
	] as const) {
		const url = `postgresql://ann:pencil@localhost:${port}/d?sslmode=${mode}&sslrootcert=${file("ca.crt")}`;
		const said = await PgClient.connect(connectionOptions(url, {})).then(
			(client) => client.end().then(() => "in"),
			(error: Error) => error.message,
		);
		t.regex(said, expected);
	}
	await server.close();
});

test("a client's certificate lets in without a password", async (t) => {
	const { server, port } = await serving("hostssl all all all cert", true);
	const own = `sslcert=${file("client.ann.crt")}&sslkey=${file("client.ann.key")}`;
	t.is(await outcome(port, own), "in");
	t.regex(await outcome(port, ""), /certificate/);
	t.regex(await outcome(port, `${own}&channel_binding=require`), /let us in without it/);
	await server.close();
});

test("a server that cannot prove that it knows the password is left at once", async (t) => {
	const ok = Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0]);
	const ready = Buffer.from([90, 0, 0, 0, 5, 73]);
	const mechanism = Buffer.from("SCRAM-SHA-256\0\0");
	const sasl = Buffer.concat([
		Buffer.from([82, 0, 0, 0, 8 + mechanism.length, 0, 0, 0, 10]),
		mechanism,
	]);
	const server = createServer((socket) => {
		let messages = 0;
		socket.on("error", () => {});
		socket.on("data", () => socket.write(messages++ === 0 ? sasl : Buffer.concat([ok, ready])));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	t.regex(await outcome(port, "sslmode=disable", secret), /without showing that it knows/);
	server.close();
});

test("what comes before encryption in the clear is not taken for what comes after", async (t) => {
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.once("data", () => socket.write("Sand more"));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	t.regex(await outcome(port, "sslmode=require", secret), /more than it was asked for/);
	server.close();
});

test("lines of a password file", (t) => {
	const login = { host: "h", port: 1, database: "d", user: "u" };
	t.is(passwordIn("#h:1:d:u:no\nh:2:d:u:no\nh:1:d:u:a:b\\\\c\\:d", login), "a:b\\c:d");
	t.is(passwordIn("*:*:*:u:any\n", login), "any");
	t.is(passwordIn("*:*:*:v:any\nh:1:d\n", login), undefined);
	t.is(passwordIn("h\\:x:1:d:u:p", { ...login, host: "h:x" }), "p");
});
