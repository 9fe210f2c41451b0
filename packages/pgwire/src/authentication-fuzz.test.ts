/**
 * Mutated log-ins. Whoever does not know the password is not let in, whatever bytes come; whoever is turned away is told why or
 * nothing, leaves nothing behind, and keeps nobody else out.
 */
import { ScramClient } from "@quorate/sql/auth/scram-client";
import test from "ava";
import { guardedServer } from "./testing/guarded-server.ts";
import { eventually, int32, message, startup, type TestClient } from "./testing/test-client.ts";
import { generator } from "./testing/test-runtime.ts";

const seedCount = 300;

const initial = (text: string): Buffer =>
	message("p", Buffer.from("SCRAM-SHA-256\0"), int32(Buffer.byteLength(text)), Buffer.from(text));

type Below = (bound: number) => number;

const junk = (below: Below): Buffer =>
	Buffer.from(Array.from({ length: below(40) }, () => below(256)));

/** Another message in its place, before it or behind it; bytes that are other ones; an end too early. */
function mutate(bytes: Buffer, below: Below): Buffer {
	switch (below(5)) {
		case 0:
			return message("pQPBESXHdcf"[below(11)]!, junk(below));
		case 1:
			return Buffer.concat([junk(below), bytes]);
		case 2:
			return Buffer.concat([bytes, bytes]);
		case 3:
			return bytes.subarray(0, below(bytes.length));
		default: {
			const changed = Buffer.from(bytes);
			for (let change = 1 + below(4); change > 0; change--) {
				const interesting = [0, 1, 0x2c, 0x3d, 0x7f, 0x80, 0xff, below(256)];
				changed[below(changed.length)] = interesting[below(interesting.length)]!;
			}
			return changed;
		}
	}
}

/** In pieces, as a network might deliver them. */
function sendPieces(client: TestClient, bytes: Buffer, below: Below): void {
	for (let at = 0; at < bytes.length; ) {
		const size = 1 + below(60);
		client.send(bytes.subarray(at, at + size));
		at += size;
	}
}

/** Waits for the server's answer to what it takes for a whole message; a cut one has none. */
async function answer(client: TestClient): Promise<string | undefined> {
	const before = client.messages.length;
	for (let turn = 0; turn < 50 && client.messages.length === before && !client.closed; turn++) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	const challenge = client.messages.find(({ name }) => name === "authenticationSASLContinue");
	return (challenge as unknown as { data?: string } | undefined)?.data;
}

async function attempt(client: TestClient, secret: string, below: Below): Promise<void> {
	const which = below(3);
	const changed = (bytes: Buffer, step: number): Buffer =>
		which === step || below(8) === 0 ? mutate(bytes, below) : bytes;
	sendPieces(client, changed(startup({ user: "ann", database: "d" }), 0), below);
	await answer(client);
	const scram = new ScramClient(secret, Buffer.alloc(18, 1));
	sendPieces(client, changed(initial(scram.first()), 1), below);
	const challenge = await answer(client);
	const final = challenge === undefined ? "c=biws,r=x,p=AAAA" : scram.final(challenge);
	sendPieces(client, changed(message("p", Buffer.from(final)), 2), below);
	await answer(client);
}

test(`${seedCount} mutated log-ins without the password, and as many that could have it`, async (t) => {
	const { runtime, sessions, server, open } = await guardedServer("host all all all scram-sha-256");
	for (let seed = 1; seed <= seedCount; seed++) {
		for (const secret of ["guess", "pencil"]) {
			const opened = sessions.opened.length;
			const next = generator(seed);
			const client = await open();
			client.parsing = true;
			await attempt(client, secret, (bound) => next() % bound);
			client.connection.end();
			await eventually(() => server.connectionCount === 0);
			if (secret === "guess") t.is(sessions.opened.length, opened, `seed ${seed}`);
		}
	}
	t.true(sessions.opened.every(({ closeCount }) => closeCount === 1));
	t.deepEqual(
		runtime.logged.filter(({ level }) => level === "error"),
		[],
		"nothing unexpected was thrown",
	);
	await eventually(() => runtime.timerCount === 0);
	const healthy = await open();
	healthy.send(startup({ user: "ann" }));
	await healthy.until("authenticationSASL");
	const scram = new ScramClient("pencil", Buffer.alloc(18, 1));
	healthy.send(initial(scram.first()));
	const [challenge] = (await healthy.until("authenticationSASLContinue")).slice(-1);
	const final = scram.final((challenge as unknown as { data: string }).data);
	healthy.send(message("p", Buffer.from(final)));
	await healthy.until("readyForQuery");
});
