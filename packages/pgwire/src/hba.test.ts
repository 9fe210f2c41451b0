import test from "ava";
import { findRule, type HbaClient, type HbaSources, parseHba, plainHost } from "./hba.ts";
import { mayConnectAs, parseUserMaps } from "./user-maps.ts";

const client = (over: Partial<HbaClient>): HbaClient => ({
	host: "10.1.2.3",
	encrypted: true,
	user: "ann",
	database: "quorate",
	memberOf: new Set(["ann", "staff"]),
	isNamed: () => Promise.reject(new Error("nobody has to ask")),
	...over,
});

const files: Readonly<Record<string, string>> = {
	staff: 'cy, "+odd"\n# nobody else\n@more\n',
	more: "ann\n+guests\n",
	empty: "# nobody\n",
	circle: "@circle",
};
const sources: HbaSources = {
	readNamed: (name) => {
		const text = files[name];
		return text === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(text);
	},
	userMaps: [],
	localNetworks: () => ["10.1.0.7/16", "::1/128"],
};

const method = async (text: string, over: Partial<HbaClient> = {}) =>
	(await findRule(await parseHba(text, sources), client(over)))?.method;

test("the first rule that fits decides, and none is a refusal", async (t) => {
	const text = `
# a comment
local all all trust
host   quorate  bob   10.0.0.0/8  reject
hostssl all     ann   10.0.0.0/8  scram-sha-256   # and another
hostnossl all   ann   10.0.0.0/8  reject
host all all 10.0.0.0 255.0.0.0 cert_like
`.replace("cert_like", "trust");
	t.is(await method(text), "scram-sha-256");
	t.is(await method(text, { encrypted: false }), "reject");
	t.is(await method(text, { user: "bob" }), "reject");
	t.is(await method(text, { user: "cy" }), "trust");
	t.is(await method(text, { host: "11.0.0.1" }), undefined);
	t.is(await method("local all all trust"), undefined);
});

test("databases, users and groups", async (t) => {
	t.is(await method("host a,quorate cy,ann all trust"), "trust");
	t.is(await method("host a,b ann all trust"), undefined);
	t.is(await method("host all +staff all trust"), "trust");
	t.is(await method("host all +staff all trust", { memberOf: new Set() }), undefined);
	t.is(await method("host sameuser all all trust"), undefined);
	t.is(await method("host sameuser all all trust", { database: "ann" }), "trust");
	t.is(await method("host samerole all all trust", { database: "staff" }), "trust");
	t.is(await method("host replication all all trust", { database: "replication" }), undefined);
	// In quotes a word is a name.
	t.is(await method('host all "all" all trust'), undefined);
	t.is(await method('host "all" all all trust', { database: "all" }), "trust");
	t.is(await method('host all "a b" all trust', { user: "a b" }), "trust");
	t.is(await method('host all "say ""hi""" all trust', { user: 'say "hi"' }), "trust");
	t.is(await method('host all "+staff" all trust'), undefined);
	t.is(await method("host all __proto__ all trust", { user: "__proto__" }), "trust");
});

test("addresses of both families, and IPv4 in IPv6", async (t) => {
	t.is(await method("host all all ::1/128 trust", { host: "::1" }), "trust");
	t.is(await method("host all all fe80::/10 trust", { host: "fe81::5" }), "trust");
	t.is(await method("host all all fe80:: ffc0:: trust", { host: "ff81::5" }), undefined);
	t.is(
		await method("host all all 10.1.2.3/32 trust", { host: plainHost("::ffff:10.1.2.3") }),
		"trust",
	);
	t.is(await method("host all all ::/0 trust"), undefined);
	t.is(await method("host all all 0.0.0.0/0 trust", { host: "::1" }), undefined);
});

test("addresses of this machine, and of its nets", async (t) => {
	t.is(await method("host all all samenet trust"), "trust");
	t.is(await method("host all all samehost trust"), undefined);
	t.is(await method("host all all samehost trust", { host: "10.1.0.7" }), "trust");
	t.is(await method("host all all samehost trust", { host: "::1" }), "trust");
	t.is(await method("host all all samenet trust", { host: "10.2.0.1" }), undefined);
});

test("names of hosts are asked for where all else fits", async (t) => {
	const asked: string[] = [];
	const isNamed = (pattern: string) => {
		asked.push(pattern);
		return Promise.resolve(pattern === ".example");
	};
	const text = `
host all bob other.example reject
host all all Other.Example reject
host all all .example trust
host all all "all" reject`;
	t.is(await method(text, { isNamed }), "trust");
	t.deepEqual(asked, ["Other.Example", ".example"]);
	t.is(await method('host all all "all" trust', { isNamed }), undefined);
});

test("names that stand in files", async (t) => {
	t.is(await method("host all bob,@staff all trust"), "trust");
	t.is(await method("host all @staff all trust", { user: "odd" }), undefined);
	t.is(await method("host all @staff all trust", { user: "+odd" }), "trust");
	const guest = { user: "x", memberOf: new Set(["guests"]) };
	t.is(await method("host all @staff all trust", guest), "trust");
	t.is(await method("host @staff all all trust", { database: "cy" }), "trust");
	t.is(await method('host all "@staff" all trust'), undefined);
	t.is(await method("host all @empty all trust"), undefined);
});

test("the file that Debian installs, and older methods", async (t) => {
	const text = `
local   all             postgres                                peer
local   all             all                                     peer map=local
host    all             all             127.0.0.1/32            scram-sha-256
host    all             all             ::1/128                 md5
local   replication     all                                     peer
hostgssenc all          all             all                     gss
hostnogssenc all        all             10.1.0.0/16             reject
`;
	t.is(await method(text, { host: "127.0.0.1" }), "scram-sha-256");
	// Of a password only a SCRAM verifier is kept.
	t.is(await method(text, { host: "::1" }), "scram-sha-256");
	t.is(await method(text), "reject");
});

test("as whom the holder of a certificate may connect", async (t) => {
	const maps = String.raw`
# map  certified            user
staff  "Ann Smith"          ann
staff  /^(.*)@example\.org$ \1
other  bob                  ann
`;
	const read = () => Promise.reject(new Error("no files"));
	const userMaps = await parseUserMaps(maps, read);
	const line = "hostssl all all all cert map=staff clientname=DN";
	const [rule] = await parseHba(line, { ...sources, userMaps });
	t.is(rule?.certifiedName, "distinguishedName");
	const may = (certified: string, user: string) => mayConnectAs(rule?.userMap, certified, user);
	t.true(may("Ann Smith", "ann"));
	t.true(may("cy@example.org", "cy"));
	t.false(may("cy@example.org", "ann"));
	t.false(may("cy@example.org.evil", "cy"));
	t.false(may("bob", "ann"));
	t.false(may("ann", "ann"));
	t.true(mayConnectAs(undefined, "ann", "ann"));
	await t.throwsAsync(parseUserMaps("m ann", read), { message: /line 1: missing entry/ });
	await t.throwsAsync(parseUserMaps(String.raw`m /a \1`, read), { message: /no group/ });
	await t.throwsAsync(parseUserMaps("m /( ann", read), { message: /line 1: / });
});

const wrong: readonly (readonly [string, RegExp])[] = [
	["\n# nothing but words\n", /has no rules/],
	["hosts all all all trust", /line 1: invalid connection type "hosts"/],
	["\nhost all all 10.0.0.0/33 trust", /line 2: invalid mask/],
	["host all all 10.0.0.0 255.0.255.0 trust", /invalid mask/],
	["host all all db.example/32 trust", /both host name and CIDR mask is invalid: "db.example\/32"/],
	["host all all db.example 255.0.0.0 trust", /invalid authentication method "255.0.0.0"/],
	["host all all 10.0.0.256 trust", /invalid IP address "10.0.0.256"/],
	["host all all fe80::1::2 trust", /invalid IP address/],
	["host all all all constructor", /invalid authentication method "constructor"/],
	["host all all all", /end-of-line before authentication method/],
	["host all all all md4", /invalid authentication method "md4"/],
	["host all all all password", /authentication method "password" is not supported/],
	["host,hostssl all all all trust", /multiple values specified for connection type/],
	["host all", /end-of-line before role specification/],
	["host all all all cert", /only supported on hostssl/],
	["host all all all trust clientcert=verify-full", /only be configured for hostssl/],
	["hostssl all all all trust map=x", /option "map" is only valid for the authentication method/],
	["hostssl all all all cert clientcert=verify-ca", /only accepts "verify-full"/],
	["hostssl all all all cert clientname=XN", /unrecognized authentication option "clientname=XN"/],
	["host all all all trust clientname=DN", /clientname can only be configured for hostssl rows/],
	['host all "a all trust', /quotation mark/],
	["host all @nofile all trust", /no nofile/],
	["host all @circle all trust", /nested too deep/],
];

for (const [text, message] of wrong) {
	test(`refused: ${text.trim()}`, async (t) => {
		await t.throwsAsync(parseHba(text, sources), { message });
	});
}
