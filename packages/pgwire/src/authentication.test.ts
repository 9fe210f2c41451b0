/** Being let in, or not: the exchange itself, and what an attacker would try before it is over. */

import { ScramClient } from "@quorate/sql/auth/scram-client";
import { parseVerifier, scramHash, scramHmac } from "@quorate/sql/auth/scram-verifier";
import test, { type ExecutionContext } from "ava";
import { parseHba } from "./hba.ts";
import { createPgServer } from "./pg-server.ts";
import { ScramServer } from "./scram-server.ts";
import { FakeSessions } from "./testing/fake-session.ts";
import { guardedServer, verifier } from "./testing/guarded-server.ts";
import {
	eventually,
	int32,
	message,
	packet,
	startup,
	type TestClient,
} from "./testing/test-client.ts";
import { createTestRuntime } from "./testing/test-runtime.ts";

const scramRule = "host all all all scram-sha-256";
const cstring = (text: string) => Buffer.from(`${text}\0`);
const password = (...parts: Uint8Array[]) => message("p", ...parts);
const initial = (mechanism: string, text: string) =>
	password(cstring(mechanism), int32(Buffer.byteLength(text)), Buffer.from(text));

/** Up to the answer to the final message. */
async function logIn(client: TestClient, user: string, secret: string) {
	client.send(startup({ user }));
	const offered = (await client.until("authenticationSASL")).at(-1) as unknown as {
		mechanisms: string[];
	};
	const scram = new ScramClient(secret, Buffer.alloc(18, 1));
	client.send(initial("SCRAM-SHA-256", scram.first()));
	const next = (await client.until("authenticationSASLContinue")).at(-1) as unknown as {
		data: string;
	};
	client.send(password(Buffer.from(scram.final(next.data))));
	return { offered: offered.mechanisms, challenge: next.data, scram };
}

const failure = (seen: readonly { code?: string; message?: string }[]) =>
	`${seen.at(-1)?.code} ${seen.at(-1)?.message}`;

test("the example of RFC 7677", (t) => {
	const exchange =
		"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	const { storedKey, serverKey } = parseVerifier(verifier)!;
	const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
	const signature = scramHmac(storedKey, exchange);
	t.deepEqual(scramHash(proof.map((byte, i) => byte ^ signature[i]!)), storedKey);
	t.is(
		scramHmac(serverKey, exchange).toString("base64"),
		"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	);
});

test("a password lets in, and the server proves itself", async (t) => {
	const { open, sessions } = await guardedServer(scramRule);
	const client = await open();
	const { offered, scram } = await logIn(client, "ann", "pencil");
	t.deepEqual(offered, ["SCRAM-SHA-256"]);
	const seen = await client.until("readyForQuery");
	t.is(seen[0]?.name, "authenticationSASLFinal");
	t.true(scram.accepts((seen[0] as unknown as { data: string }).data));
	t.is(sessions.opened.length, 1);
});

test("a wrong password, no password and no such user look the same", async (t) => {
	const { open, sessions } = await guardedServer(scramRule);
	const seen: string[] = [];
	for (const user of ["ann", "nobody", "nobody"]) {
		const client = await open();
		const { challenge } = await logIn(client, user, "guess");
		const salt = /s=([^,]*),i=4096$/.exec(challenge)?.[1];
		t.is(Buffer.from(salt ?? "", "base64").length, 16);
		const end = await client.untilClosed();
		t.is(failure(end), `28P01 password authentication failed for user "${user}"`);
		t.is((end.at(-1) as { severity?: string }).severity, "FATAL");
		seen.push(salt ?? "");
	}
	// A decoy that changed would be known by that.
	t.is(seen[1], seen[2]);
	t.is(sessions.opened.length, 0);
});

test("rules: trust, reject, groups, none", async (t) => {
	const { open, sessions } = await guardedServer(`host all member1 all trust
host all carl all reject
host all +group all reject
host quorate all 10.0.0.0/8 trust`);
	const trusted = await open();
	trusted.send(startup({ user: "member1" }));
	await trusted.until("readyForQuery");
	t.is(sessions.opened.length, 1);
	for (const [user, text] of [
		[
			"carl",
			/^28000 pg_hba.conf rejects connection for host ".*", user "carl", database "d", no encryption$/,
		],
		["member2", /^28000 pg_hba.conf rejects/],
		["dora", /^28000 no pg_hba.conf entry for host/],
	] as const) {
		const client = await open();
		client.send(startup({ user, database: "d" }));
		t.regex(failure(await client.untilClosed()), text);
	}
	t.is(sessions.opened.length, 1);
});

/** What comes in the place of the client's first answer, and the code that the client is told; undefined: closed without a word. */
const attacks: readonly (readonly [title: string, bytes: Uint8Array, code: string])[] = [
	["a query", message("Q", cstring("select 1")), "08P01"],
	["a query of a gigabyte", Buffer.concat([Buffer.from("Q"), int32(0x3fffffff)]), "08P01"],
	["a password of a gigabyte", Buffer.concat([Buffer.from("p"), int32(0x3fffffff)]), "08P01"],
	["a negative length", Buffer.concat([Buffer.from("p"), int32(-1)]), "08P01"],
	["terminate", message("X"), "08P01"],
	["an unknown mechanism", initial("PLAIN", "n,,n=,r=x"), "08P01"],
	[
		"channel binding that was not offered",
		initial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=x"),
		"08P01",
	],
	[
		"a bound header under the plain mechanism",
		initial("SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=x"),
		"08P01",
	],
	["an authorization identity", initial("SCRAM-SHA-256", "n,a=root,n=,r=x"), "0A000"],
	["an extension", initial("SCRAM-SHA-256", "n,,m=x,n=,r=x"), "0A000"],
	["no nonce", initial("SCRAM-SHA-256", "n,,n="), "08P01"],
	["no header", initial("SCRAM-SHA-256", "hello"), "08P01"],
	[
		"a length beyond the message",
		password(cstring("SCRAM-SHA-256"), int32(1000), Buffer.from("n,,")),
		"08P01",
	],
	["a negative length of the answer", password(cstring("SCRAM-SHA-256"), int32(-1)), "08P01"],
	["no UTF-8", password(cstring("SCRAM-SHA-256"), int32(2), Buffer.from([0xc3, 0x28])), "22021"],
	["a mechanism without an end", password(Buffer.from("SCRAM")), "08P01"],
];

for (const [title, bytes, code] of attacks) {
	test(`before authentication: ${title}`, async (t) => {
		const { open, sessions, server, runtime } = await guardedServer(scramRule);
		const client = await open();
		client.send(startup({ user: "ann" }));
		await client.until("authenticationSASL");
		client.send(bytes);
		const seen = await client.untilClosed();
		t.like(seen.at(-1), { severity: "FATAL", code });
		t.is(sessions.opened.length, 0);
		await eventually(() => server.connectionCount === 0 && runtime.timerCount === 0);
	});
}

async function finalAnswer(
	t: ExecutionContext,
	change: (final: string) => string,
): Promise<string> {
	const { open, sessions } = await guardedServer(scramRule);
	const client = await open();
	client.send(startup({ user: "ann" }));
	await client.until("authenticationSASL");
	const scram = new ScramClient("pencil", Buffer.alloc(18, 1));
	client.send(initial("SCRAM-SHA-256", scram.first()));
	const next = (await client.until("authenticationSASLContinue")).at(-1) as unknown as {
		data: string;
	};
	client.send(password(Buffer.from(change(scram.final(next.data)))));
	const seen = await client.untilClosed();
	t.is(sessions.opened.length, 0);
	return seen.at(-1)?.code ?? "";
}

test("a final message that was tampered with", async (t) => {
	t.is(await finalAnswer(t, (text) => text.replace(",r=", ",r=x")), "08P01");
	t.is(await finalAnswer(t, (text) => text.replace("c=biws", "c=eSws")), "08P01");
	t.is(await finalAnswer(t, (text) => text.replace(/,p=.*/, "")), "08P01");
	t.is(await finalAnswer(t, (text) => text.replace(/,p=.*/, `,p=${"A".repeat(43)}=`)), "28P01");
});

test("channel binding: both ends see the same certificate, and nobody takes it away", (t) => {
	const hash = Buffer.alloc(32, 9);
	const run = (seen: Uint8Array | undefined, mechanism: string): string | undefined => {
		const server = new ScramServer(parseVerifier(verifier)!, hash, Buffer.alloc(18, 2));
		const client = new ScramClient("pencil", Buffer.alloc(18, 1), seen);
		return server.final(client.final(server.first(mechanism, client.first())));
	};
	t.truthy(run(hash, "SCRAM-SHA-256-PLUS"));
	t.truthy(run(undefined, "SCRAM-SHA-256"));
	t.throws(() => run(Buffer.alloc(32, 8), "SCRAM-SHA-256-PLUS"), {
		message: /channel binding check failed/,
	});
	t.throws(() => run(undefined, "SCRAM-SHA-256-PLUS"), { message: /malformed/ });
	const server = new ScramServer(parseVerifier(verifier)!, hash, Buffer.alloc(18, 2));
	t.throws(() => server.first("SCRAM-SHA-256", "y,,n=,r=x"), {
		message: "SCRAM channel binding negotiation error",
	});
});

test("who says nothing is got rid of, and does not keep others out for long", async (t) => {
	const { open, runtime, server } = await guardedServer(scramRule, {
		startingMax: 2,
		startupDeadlineMs: 1000,
	});
	const silent = await open();
	const slow = await open();
	slow.send(startup({ user: "ann" }));
	await slow.until("authenticationSASL");
	const third = await open();
	await third.untilClosed();
	t.deepEqual(third.raw, []);
	t.is(server.connectionCount, 2);
	runtime.fireTimers();
	await silent.untilClosed();
	await slow.untilClosed();
	await eventually(() => server.connectionCount === 0);
	const next = await open();
	await logIn(next, "ann", "pencil");
	await next.until("readyForQuery");
});

test("who waits for its host's name to be looked up keeps nobody waiting, nor stays for ever", async (t) => {
	const { open, runtime, sessions, server } = await guardedServer(`host all ann .example trust
host all bob all trust`);
	const asked: ((name: string) => void)[] = [];
	runtime.network.hostNames = {
		nameOf: () => new Promise((resolve) => asked.push(resolve)),
		addressesOf: () => Promise.resolve(["127.0.0.1"]),
	};
	const start = async (user: string) => {
		const client = await open();
		client.send(startup({ user }));
		return client;
	};
	const late = await start("ann");
	await (await start("bob")).until("readyForQuery");
	runtime.fireTimers();
	await late.untilClosed();
	asked[0]?.("db.example");
	await eventually(() => server.connectionCount === 1);
	t.is(sessions.opened.length, 1);
	const next = await start("ann");
	await eventually(() => asked.length === 2);
	asked[1]?.("db.example");
	await next.until("readyForQuery");
	t.is(sessions.opened.length, 2);
});

test("the last slots are for superusers", async (t) => {
	const { open } = await guardedServer("host all all all trust", {
		connectionsMax: 2,
		reservedConnections: 1,
	});
	const start = async (user: string) => {
		const client = await open();
		client.send(startup({ user }));
		return client;
	};
	await (await start("ann")).until("readyForQuery");
	t.regex(failure(await (await start("bob")).untilClosed()), /^53300 remaining connection slots/);
	await (await start("root")).until("readyForQuery");
	t.regex(failure(await (await start("root")).untilClosed()), /^53300 sorry, too many/);
});

test("SSLRequest is declined where there is no certificate", async (t) => {
	const { open } = await guardedServer("hostssl all all all trust");
	const client = await open();
	client.parsing = false;
	client.send(packet(80877103));
	await eventually(() => client.raw.length === 1);
	t.is(client.raw[0]?.toString(), "N");
	client.parsing = true;
	client.send(startup({ user: "ann" }));
	t.regex(failure(await client.untilClosed()), /^28000 no pg_hba.conf entry .* no encryption$/);
});

test("listening elsewhere than on loopback takes rules, and TLS or a word", async (t) => {
	const rules = await parseHba(scramRule);
	const options = {
		runtime: createTestRuntime(),
		sessions: new FakeSessions(),
		listenAddress: "10.0.0.1:5432",
	};
	await t.throwsAsync(createPgServer(options), { message: "cannot serve SQL on 10.0.0.1:5432" });
	await t.throwsAsync(
		createPgServer({ ...options, security: { rules, tls: undefined, plaintextAllowed: false } }),
		{ message: "cannot serve SQL on 10.0.0.1:5432 without TLS" },
	);
	const server = await createPgServer({
		...options,
		security: { rules, tls: undefined, plaintextAllowed: true },
	});
	await server.close();
});
