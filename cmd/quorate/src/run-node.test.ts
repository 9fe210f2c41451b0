/** What a node is not started with. */
import test from "ava";
import { type StartFlags, startOptions } from "./run-node.ts";

const flags: StartFlags = {
	join: "127.0.0.1:7441",
	data: "data/n1",
	listen: "127.0.0.1:7441",
	sql: "127.0.0.1:7431",
	admin: "127.0.0.1:7451",
	locality: "",
	engine: "rocksdb",
	logLevel: "info",
};

test("the operator's port is on loopback, whatever else is set up", (t) => {
	const secured = { hba: "hba.conf", tlsCert: "a.crt", tlsKey: "a.key" };
	for (const admin of ["0.0.0.0:7451", "10.0.0.1:7451", "[::]:7451", "db1:7451"]) {
		for (const more of [{}, secured, { ...secured, allowPlaintext: true }]) {
			t.throws(() => startOptions({ ...flags, ...more, admin }), {
				message: /^--admin .* is not a loopback address, and nobody is asked who they are there$/,
			});
		}
	}
	for (const admin of ["127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "localhost:1"]) {
		t.is(startOptions({ ...flags, admin }).admin, admin);
	}
});

test("SQL is on loopback where nobody has said who may connect", (t) => {
	t.throws(() => startOptions({ ...flags, sql: "0.0.0.0:7431" }), {
		message: /every client would be trusted/,
	});
	t.is(startOptions({ ...flags, sql: "0.0.0.0:7431", hba: "hba.conf" }).sql, "0.0.0.0:7431");
});

test("the directory of backups is absolute", (t) => {
	t.is(startOptions(flags).backupRoot, undefined);
	t.regex(startOptions({ ...flags, backupRoot: "backups" }).backupRoot ?? "", /^\/.*\/backups$/);
});

test("the cache has its size from the command line, or is the engine's own choice", (t) => {
	t.is(startOptions(flags).cacheBytes, undefined);
	t.is(startOptions({ ...flags, cache: "256MB" }).cacheBytes, 256 << 20);
});
