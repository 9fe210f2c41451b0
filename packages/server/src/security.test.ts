/** Rules and certificates that are read again while a node runs: all of it, or nothing; and the log says which. */

import { MemoryDisk } from "@quorate/runtime/memory-disk";
import type { TlsAcceptor, TlsCredentials } from "@quorate/runtime/runtime";
import { testRuntime } from "@quorate/sql/testing/test-runtime";
import test from "ava";
import { nodeNetwork, reloadNodeNetwork, Security, type SecurityFiles } from "./security.ts";

const all: SecurityFiles = {
	hba: "/etc/hba.conf",
	sql: { certificate: "/etc/server.crt", key: "/etc/server.key", authorities: "/etc/ca.crt" },
	nodes: { certificate: "/etc/node.crt", key: "/etc/node.key", authorities: "/etc/node-ca.crt" },
	allowPlaintext: false,
};

/** TLS that takes any credentials but those with "bad" in their key. */
class Tls implements TlsAcceptor {
	readonly endpointHash = new Uint8Array();
	shown: TlsCredentials;

	constructor(credentials: TlsCredentials) {
		this.shown = judged(credentials);
	}

	update(credentials: TlsCredentials): void {
		this.shown = judged(credentials);
	}
}

function judged(credentials: TlsCredentials): TlsCredentials {
	if (credentials.key.includes("bad")) throw new Error("key values mismatch");
	return credentials;
}

async function world() {
	const files = new MemoryDisk();
	const put = (path: string, text: string) => files.replace(path.slice(1), Buffer.from(text));
	const secrets = "-----PRIVATE KEY-----";
	await put("/etc/hba.conf", "hostssl all all all scram-sha-256");
	for (const name of ["server.crt", "ca.crt", "node.crt", "node-ca.crt"])
		await put(`/etc/${name}`, "1");
	for (const name of ["server.key", "node.key"]) await put(`/etc/${name}`, secrets);
	const lines: [level: string, text: string][] = [];
	const { logger: _, ...rest } = testRuntime(1, files);
	const logger = {
		log: (level: string, message: string, fields?: object) => {
			lines.push([level, `${message} ${JSON.stringify(fields ?? {})}`]);
		},
		child: () => logger,
	};
	const runtime = {
		...rest,
		logger,
		network: {
			...rest.network,
			tlsAcceptor: (credentials: TlsCredentials) => new Tls(credentials),
			secured: (credentials: TlsCredentials) => {
				const tls = new Tls(credentials);
				return {
					...rest.network,
					tls,
					certificate: "",
					update: (next: TlsCredentials) => tls.update(next),
				};
			},
		},
	};
	const security = (await Security.open(runtime, all))!;
	const network = (await nodeNetwork(runtime, all))!;
	const nodes = (network as unknown as { tls: Tls }).tls;
	const reload = async () => {
		lines.length = 0;
		await Promise.all([security.reload(), reloadNodeNetwork(runtime, all, network)]);
		return lines;
	};
	return { files, put, runtime, security, nodes, reload, secrets };
}

const methods = ({ rules }: Security): readonly string[] => rules.map(({ method }) => method);
const shownBy = ({ tls }: Security): TlsCredentials => (tls as Tls).shown;

test("what is right is taken, for connections from then on", async (t) => {
	const { put, security, nodes, reload } = await world();
	await put("/etc/hba.conf", "host all all all reject");
	await put("/etc/server.crt", "2");
	await put("/etc/node-ca.crt", "2");
	const lines = await reload();
	t.deepEqual(methods(security), ["reject"]);
	t.is(shownBy(security).certificate, "2");
	t.is(nodes.shown.authorities, "2");
	t.deepEqual(
		lines.map(([level]) => level),
		["info", "info"],
	);
});

const mistakes: readonly (readonly [what: string, path: string, text: string, said: RegExp])[] = [
	["a rule that is none", "/etc/hba.conf", "host all all all trust\nhosts x", /hba.conf: line 2/],
	[
		"a file of names that is not there",
		"/etc/hba.conf",
		"host all @who all trust",
		/file \/etc\/who/,
	],
	["no rules", "/etc/hba.conf", "", /hba.conf: the hba file has no rules/],
	["a key of another certificate", "/etc/server.key", "bad", /key values mismatch/],
];

for (const [what, path, text, said] of mistakes) {
	test(`${what}: everything stays as it was, and the log says why`, async (t) => {
		const { put, security, nodes, reload, secrets } = await world();
		await put("/etc/hba.conf", "host all all all reject");
		await put("/etc/server.crt", "2");
		await put(path, text);
		await put("/etc/node.key", "bad");
		const lines = await reload();
		t.deepEqual(methods(security), ["scram-sha-256"]);
		t.is(shownBy(security).certificate, "1");
		t.is(nodes.shown.key, secrets);
		t.deepEqual(
			lines.map(([level]) => level),
			["error", "error"],
		);
		t.true(
			lines.some(([, line]) => said.test(line)),
			JSON.stringify(lines),
		);
		t.true(lines.some(([, line]) => line.includes("certificates between nodes stay")));
		t.false(JSON.stringify(lines).includes("PRIVATE"));
		await put(path, path.endsWith("key") ? secrets : "host all all all reject");
		await reload();
		t.deepEqual(methods(security), ["reject"]);
	});
}

test("names and maps of names stand in files beside the rules", async (t) => {
	const { put, runtime } = await world();
	await put("/etc/hba.conf", "hostssl all @who all cert map=m");
	await put("/etc/who", "ann bob");
	await put("/etc/maps", "m Ann ann\nn Bob bob");
	const [rule] = (await Security.open(runtime, { ...all, ident: "/etc/maps" }))!.rules;
	t.deepEqual(
		rule?.users.map(({ text }) => text),
		["ann", "bob"],
	);
	t.deepEqual(
		rule?.userMap?.map(({ user }) => user),
		["ann"],
	);
	await put("/etc/maps", "m Ann");
	await t.throwsAsync(Security.open(runtime, { ...all, ident: "/etc/maps" }), {
		message: "/etc/maps: line 1: missing entry at end of line",
	});
});

test("a file that is gone: everything stays as it was", async (t) => {
	const { files, security, reload } = await world();
	await files.remove("etc/hba.conf");
	const [[level, line] = []] = (await reload()).filter(([, text]) => text.includes("rules"));
	t.is(level, "error");
	t.regex(line ?? "", /there is no file \/etc\/hba.conf/);
	t.deepEqual(methods(security), ["scram-sha-256"]);
});
