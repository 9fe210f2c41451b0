/** Drivers of other languages, each with a program in that language (`clients/programs`) that says which of its parts held. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { served } from "../served.ts";
import { type RunOptions, run, runs } from "./programs.ts";

const url = served();
const programs = fileURLToPath(new URL("../../programs", import.meta.url));
const jar = "/usr/share/java/postgresql.jar";
const goFolder = "/usr/share/gocode";

interface Driver {
	readonly name: string;
	readonly installed: boolean;
	readonly command: (url: string) => readonly [string, readonly string[]];
	readonly options?: RunOptions;
	readonly parts: readonly string[];
}

const drivers: readonly Driver[] = [
	{
		name: "psycopg2",
		installed: runs("/usr/bin/python3", "-c", "import psycopg2"),
		command: (to) => ["/usr/bin/python3", ["-B", "psycopg2_client.py", to]],
		parts: [
			"connect",
			"types",
			"transactions",
			"errors",
			"pooling",
			"cursors",
			"copy",
			"notifications",
		],
	},
	{
		name: "psycopg 3",
		installed: runs("/usr/bin/python3", "-c", "import psycopg"),
		command: (to) => ["/usr/bin/python3", ["-B", "psycopg3_client.py", to]],
		parts: [
			"connect",
			"types",
			"transactions",
			"errors",
			"prepared and pipelined",
			"pooling",
			"cursors",
			"copy",
			"notifications",
		],
	},
	{
		name: "ruby-pg",
		installed: runs("ruby", "-e", "require 'pg'"),
		command: (to) => ["ruby", ["pg_client.rb", to]],
		parts: [
			"connect",
			"types",
			"transactions",
			"errors",
			"prepared",
			"pooling",
			"cursors",
			"copy",
			"notifications",
		],
	},
	{
		name: "pgjdbc",
		installed: existsSync(jar) && runs("javac", "-version"),
		// Without the compiler that is there for programs that run long.
		command: (to) => [
			"java",
			["-XX:TieredStopAtLevel=1", "-cp", jar, "JdbcClient.java", jdbcUrl(to)],
		],
		parts: [
			"connect",
			"types",
			"transactions",
			"errors",
			"prepared",
			"cursors",
			"copy",
			"metadata",
			"pooling",
		],
	},
	{
		name: "lib/pq",
		installed: existsSync(`${goFolder}/src/github.com/lib/pq`) && runs("go", "version"),
		command: (to) => ["go", ["run", "pq_client.go", `${to}?sslmode=disable`]],
		options: {
			env: {
				GO111MODULE: "off",
				GOPATH: goFolder,
				GOFLAGS: "-p=2",
				GOCACHE: process.env["GOCACHE"] ?? "/tmp/quorate-go-cache",
			},
		},
		parts: [
			"connect",
			"types",
			"transactions",
			"errors",
			"pooling",
			"cursors",
			"copy",
			"notifications",
		],
	},
];

function jdbcUrl(text: string): string {
	const { host, pathname, username } = new URL(text);
	return `jdbc:postgresql://${host}${pathname}?user=${username}&sslmode=disable`;
}

for (const { name, installed, command, options, parts } of drivers) {
	const check = installed ? test.serial : test.serial.skip;
	check(`${name}: ${parts.join(", ")}`, async (t) => {
		const [program, args] = command(url());
		const { status, out, err } = await run(program, args, { ...options, cwd: programs });
		t.is(status, 0, err);
		t.deepEqual(out.trim().split("\n"), parts, err);
	});
}
