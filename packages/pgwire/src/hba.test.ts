import test from "ava";
import { findRule, type HbaClient, parseHba, plainHost } from "./hba.ts";

const client = (over: Partial<HbaClient>): HbaClient => ({
	host: "10.1.2.3",
	encrypted: true,
	user: "ann",
	database: "quorate",
	memberOf: new Set(["ann", "staff"]),
	...over,
});

const method = (text: string, over: Partial<HbaClient> = {}) =>
	findRule(parseHba(text), client(over))?.method;

test("the first rule that fits decides, and none is a refusal", (t) => {
	const text = `
# a comment
local all all trust
host   quorate  bob   10.0.0.0/8  reject
hostssl all     ann   10.0.0.0/8  scram-sha-256   # and another
hostnossl all   ann   10.0.0.0/8  reject
host all all 10.0.0.0 255.0.0.0 cert_like
`.replace("cert_like", "trust");
	t.is(method(text), "scram-sha-256");
	t.is(method(text, { encrypted: false }), "reject");
	t.is(method(text, { user: "bob" }), "reject");
	t.is(method(text, { user: "cy" }), "trust");
	t.is(method(text, { host: "11.0.0.1" }), undefined);
	t.is(method("local all all trust"), undefined);
});

test("databases, users and groups", (t) => {
	t.is(method("host a,quorate cy,ann all trust"), "trust");
	t.is(method("host a,b ann all trust"), undefined);
	t.is(method("host all +staff all trust"), "trust");
	t.is(method("host all +staff all trust", { memberOf: new Set() }), undefined);
	t.is(method("host sameuser all all trust"), undefined);
	t.is(method("host sameuser all all trust", { database: "ann" }), "trust");
	t.is(method("host samerole all all trust", { database: "staff" }), "trust");
	t.is(method("host replication all all trust", { database: "replication" }), undefined);
	// In quotes a word is a name.
	t.is(method('host all "all" all trust'), undefined);
	t.is(method('host "all" all all trust', { database: "all" }), "trust");
	t.is(method('host all "a b" all trust', { user: "a b" }), "trust");
	t.is(method("host all __proto__ all trust", { user: "__proto__" }), "trust");
});

test("addresses of both families, and IPv4 in IPv6", (t) => {
	t.is(method("host all all ::1/128 trust", { host: "::1" }), "trust");
	t.is(method("host all all fe80::/10 trust", { host: "fe81::5" }), "trust");
	t.is(method("host all all fe80:: ffc0:: trust", { host: "ff81::5" }), undefined);
	t.is(method("host all all 10.1.2.3/32 trust", { host: plainHost("::ffff:10.1.2.3") }), "trust");
	t.is(method("host all all ::/0 trust"), undefined);
	t.is(method("host all all 0.0.0.0/0 trust", { host: "::1" }), undefined);
});

const wrong: readonly (readonly [string, RegExp])[] = [
	["\n# nothing but words\n", /has no rules/],
	["hosts all all all trust", /line 1 .*invalid connection type "hosts"/],
	["\nhost all all 10.0.0.0/33 trust", /line 2 .*invalid mask/],
	["host all all 10.0.0.0 255.0.255.0 trust", /invalid mask/],
	["host all all db.example trust", /names of hosts are not supported/],
	["host all all all", /end-of-line before authentication method/],
	["host all all all md5", /invalid authentication method "md5"/],
	["host all all all cert", /only supported on hostssl/],
	["host all all all trust clientcert=verify-full", /only be configured for hostssl/],
	["hostssl all all all trust map=x", /unrecognized authentication option "map=x"/],
	['host all "a all trust', /quotation mark/],
	["host all @file all trust", /files of names/],
];

for (const [text, message] of wrong) {
	test(`refused: ${text.trim()}`, (t) => {
		t.throws(() => parseHba(text), { message });
	});
}
