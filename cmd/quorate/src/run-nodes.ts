/**
 * `quorate node ls | status | drain | remove`: what the cluster knows of its nodes, and what an operator does about one. It all goes
 * through SQL, on any node: see the tables quorate_nodes, quorate_ranges and quorate_events.
 */
import { connectionOptions } from "./client/connection-options.ts";
import { PgClient, ServerError } from "./client/pg-client.ts";
import { formatResult } from "./client/table-format.ts";
import { UserError } from "./user-error.ts";

const pollMs = 1_000;
/** A drain that gets nowhere, and of which is said why, is not waited for. */
const stuckPollsMax = 30;
const barWidth = 30;

export interface NodeFlags {
	readonly url?: string;
}

export interface DrainFlags extends NodeFlags {
	readonly cancel: boolean;
	readonly wait: boolean;
}

/** A connection for one command; what the server refuses is one line. */
async function withClient(flags: NodeFlags, body: (client: PgClient) => Promise<void>) {
	const client = await PgClient.connect(connectionOptions(flags.url, process.env));
	try {
		await body(client);
	} catch (error) {
		if (error instanceof ServerError) {
			const { message, detail, hint } = error;
			throw new UserError([message, detail, hint].filter(Boolean).join(" "));
		}
		throw error;
	} finally {
		await client.end();
	}
}

type Row = readonly (string | null)[];

async function rows(client: PgClient, text: string): Promise<readonly Row[]> {
	return (await client.query(text)).at(-1)?.rows ?? [];
}

async function print(client: PgClient, text: string): Promise<void> {
	for (const result of await client.query(text)) {
		console.log(formatResult(result).join("\n"));
	}
}

export async function runNodeList(flags: NodeFlags): Promise<number> {
	await withClient(flags, (client) =>
		print(
			client,
			"SELECT node_id AS node, state, address, sql_address, locality, versions, replicas, leases, placement_member AS control FROM quorate_nodes ORDER BY node_id",
		),
	);
	return 0;
}

export async function runNodeStatus(flags: NodeFlags): Promise<number> {
	await withClient(flags, async (client) => {
		const [[states, ranges, moving, stuck] = []] = await rows(
			client,
			`SELECT (SELECT string_agg(n || ' ' || state, ', ' ORDER BY state)
			           FROM (SELECT state, count(*)::text AS n FROM quorate_nodes GROUP BY state) AS s),
			        count(*), count(moving), count(obstacle) FROM quorate_ranges`,
		);
		console.log(`nodes: ${states}`);
		console.log(`ranges: ${ranges}, moving ${moving}, that should move and cannot ${stuck}`);
		if (stuck !== "0") {
			await print(
				client,
				"SELECT range_id, table_name, replicas, obstacle FROM quorate_ranges WHERE obstacle IS NOT NULL ORDER BY range_id LIMIT 20",
			);
		}
		if (moving !== "0") {
			await print(
				client,
				"SELECT range_id, table_name, moving FROM quorate_ranges WHERE moving IS NOT NULL ORDER BY range_id LIMIT 20",
			);
		}
		console.log("last decisions:");
		await print(
			client,
			"SELECT at, kind, range_id, from_nodes, to_nodes, reason, outcome, bytes, took_ms FROM quorate_events ORDER BY event_id DESC LIMIT 10",
		);
	});
	return 0;
}

export async function runNodeRemove(id: string, flags: NodeFlags): Promise<number> {
	const node = nodeNumber(id);
	await withClient(flags, async (client) => {
		await client.query(`SELECT quorate_remove_node(${node})`);
	});
	console.log(`quorate: node ${node} was removed; its data directory is of no use any more`);
	return 0;
}

export async function runNodeDrain(id: string, flags: DrainFlags): Promise<number> {
	const node = nodeNumber(id);
	if (flags.cancel) {
		await withClient(flags, async (client) => {
			await client.query(`SELECT quorate_undrain_node(${node})`);
		});
		console.log(`quorate: node ${node} takes replicas and leases again`);
		return 0;
	}
	await withClient(flags, async (client) => {
		await client.query(`SELECT quorate_drain_node(${node})`);
		if (flags.wait) {
			await untilEmpty(client, node);
			console.log(`quorate: node ${node} is empty; quorate node remove ${node} makes that final`);
		} else {
			console.log(`quorate: node ${node} is being drained (quorate node ls)`);
		}
	});
	return 0;
}

interface Rest {
	readonly replicas: number;
	readonly leases: number;
	readonly isMember: boolean;
}

async function restOf(client: PgClient, node: number): Promise<Rest> {
	const [row] = await rows(
		client,
		`SELECT replicas, leases, placement_member FROM quorate_nodes WHERE node_id = ${node}`,
	);
	if (row === undefined) {
		throw new UserError(`there is no node ${node}`);
	}
	return { replicas: Number(row[0]), leases: Number(row[1]), isMember: row[2] === "t" };
}

const countOf = ({ replicas, isMember }: Rest): number => replicas + (isMember ? 1 : 0);

async function untilEmpty(client: PgClient, node: number): Promise<void> {
	const beganMs = performance.now();
	const first = await restOf(client, node);
	let last = first;
	for (let stuckPolls = 0; ; ) {
		const rest = await restOf(client, node);
		showProgress(first, rest, performance.now() - beganMs);
		if (countOf(rest) === 0) {
			return;
		}
		stuckPolls = countOf(rest) < countOf(last) ? 0 : stuckPolls + 1;
		last = rest;
		if (stuckPolls >= stuckPollsMax) {
			await explain(client, node, rest);
			stuckPolls = 0;
		}
		await new Promise((resolve) => setTimeout(resolve, pollMs));
	}
}

/** Throws the reason, if the cluster has one. */
async function explain(client: PgClient, node: number, rest: Rest): Promise<void> {
	const [obstacle] = await rows(
		client,
		`SELECT range_id, obstacle FROM quorate_ranges
		  WHERE obstacle IS NOT NULL AND (${node} = ANY (replicas) OR ${node} = ANY (learners))
		  ORDER BY range_id LIMIT 1`,
	);
	const taken = `The node stays marked: what can move moves as soon as it can. To take that back: quorate node drain ${node} --cancel.`;
	if (obstacle !== undefined) {
		throw new UserError(
			`${rest.replicas} replicas cannot leave node ${node}: range ${obstacle[0]}: ${obstacle[1]}. ${taken}`,
		);
	}
	const [[others] = ["0"]] = await rows(
		client,
		`SELECT count(*) FROM quorate_nodes WHERE state = 'live' AND node_id <> ${node}`,
	);
	if (rest.replicas === 0 && rest.isMember && Number(others) < 3) {
		throw new UserError(
			`node ${node} cannot leave the placement group: it needs three other nodes, and ${others} run. ${taken}`,
		);
	}
}

/** On a terminal one line that changes; else a line now and then. */
function showProgress(first: Rest, rest: Rest, tookMs: number): void {
	const total = Math.max(1, countOf(first));
	const done = Math.max(0, total - countOf(rest));
	const filled = Math.round((done / total) * barWidth);
	const bar = `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}]`;
	const leftMs = done === 0 ? undefined : (tookMs / done) * countOf(rest);
	const estimate = leftMs === undefined ? "" : `, about ${Math.ceil(leftMs / 1000)} s left`;
	const line = `${bar} ${rest.replicas} replicas and ${rest.leases} leases to go${estimate}`;
	if (process.stdout.isTTY) {
		process.stdout.write(`\r\u001b[K${line}${countOf(rest) === 0 ? "\n" : ""}`);
	} else {
		console.log(line);
	}
}

function nodeNumber(text: string): number {
	const node = Number(text);
	if (!Number.isInteger(node) || node < 1 || node > 65_535) {
		throw new UserError(`"${text}" is not the number of a node (quorate node ls)`);
	}
	return node;
}
