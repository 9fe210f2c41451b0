/** For tests of backups: a database with a bit of everything, small random changes of it, and what it holds. */
import type { TestClient } from "./test-client.ts";

/** Numbers below a bound, from a seed. */
export function generator(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 0x1_0000_0000) * below);
	};
}

export async function makeTables(client: TestClient): Promise<void> {
	await client.query(`
		create table account (id int primary key, owner text not null, balance int not null check (balance >= 0));
		create index account_owner on account (owner, balance desc);
		create table note (body text, at timestamptz, tags text[]);
		create table item (a text, b serial, c numeric(10, 2), primary key (a, b), unique (c));
		create sequence free_one start 100 increment 10;
		create table uses (id int default nextval('free_one') primary key, x bytea)`);
}

const pick = <T>(random: (below: number) => number, of: readonly T[]): T => of[random(of.length)]!;

/** One statement that may change something. */
export function someChange(random: (below: number) => number): string {
	const id = random(20);
	return pick(random, [
		`insert into account values (${id}, 'o${random(5)}', ${random(100)}) on conflict (id) do update set balance = account.balance + 1`,
		`update account set balance = balance + 1 where id >= ${id}`,
		`delete from account where id = ${id}`,
		`insert into note values ('${"x".repeat(random(30))}', '2026-01-0${1 + random(9)}', '{a,b${id}}')`,
		`delete from note where tags = '{a,b${id}}'`,
		`insert into item (a, c) values ('k${id}', ${id}.5) on conflict do nothing`,
		`delete from item where a = 'k${id}'`,
		`insert into uses (x) values ('\\x00ff${"ab".repeat(random(4))}')`,
		"select nextval('free_one')",
	]);
}

export const tableNames = ["account", "note", "item", "uses"] as const;

/** All rows of the table, in some fixed order. */
export async function contents(
	client: TestClient,
	table: string,
	asOf?: string,
): Promise<readonly string[]> {
	const clause = asOf === undefined ? "" : ` as of system time ${asOf}`;
	const rows = await client.rows(`select * from ${table}${clause}`);
	return rows.map((row) => JSON.stringify(row)).sort();
}

/** A timestamp that everything so far is below. */
export async function moment(client: TestClient): Promise<string> {
	const [[now]] = (await client.rows("select quorate_read_timestamp()")) as [[string]];
	return now;
}
