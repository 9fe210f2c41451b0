/** A server that asks for passwords: `ann` has "pencil". */
import { makeVerifier } from "@quorate/sql/auth/scram-verifier";
import { parseHba } from "../hba.ts";
import type { PgLimits } from "../limits.ts";
import { createPgServer } from "../pg-server.ts";
import { FakeSessions } from "./fake-session.ts";
import { TestClient } from "./test-client.ts";
import { createTestRuntime } from "./test-runtime.ts";

const address = "127.0.0.1:5432";

/** Of RFC 7677's example. */
export const verifier = makeVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));

export async function guardedServer(rules: string, limits: Partial<PgLimits> = {}) {
	const runtime = createTestRuntime();
	const sessions = new FakeSessions();
	sessions.verifiers.set("ann", verifier);
	const server = await createPgServer({
		runtime,
		sessions,
		listenAddress: address,
		limits,
		security: { rules: await parseHba(rules), tls: undefined, plaintextAllowed: false },
	});
	return { runtime, sessions, server, open: () => TestClient.open(runtime, address) };
}
