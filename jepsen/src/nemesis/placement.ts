/** What the cluster itself does with ranges and nodes, while transactions run. */

import { until } from "../harness/poll.ts";
import type { Session } from "../net/session.ts";
import { pick } from "../workloads/workload.ts";
import type { Nemesis, NemesisContext } from "./nemesis.ts";
import { nothing } from "./nemesis.ts";

const statementMs = 20_000;

async function withSession<T>(
	{ cluster, random }: NemesisContext,
	task: (session: Session) => Promise<T>,
): Promise<T> {
	const session = await cluster.session(random, "nemesis");
	try {
		return await session.within(statementMs, () => task(session));
	} finally {
		await session.close();
	}
}

/** A split also spreads the leases of the table's ranges over the nodes. Some of the cuts are taken back later. */
export function splits(): Nemesis {
	const cuts: string[] = [];
	return {
		name: "splits",
		about: "ranges are cut, their leases spread over the nodes, and neighbours merged again",
		begin: async (context) => {
			const { random, workload } = context;
			const run = (text: string) => withSession(context, (session) => session.query(text));
			if (cuts.length > 0 && random.between(1, 3) === 1) {
				const cut = pick(random, cuts);
				cuts.splice(cuts.indexOf(cut), 1);
				const text = cut.replace("SPLIT AT", "MERGE AT");
				await run(text);
				return { kind: "merge", what: text, end: nothing };
			}
			const text = workload.split(random);
			await run(text);
			cuts.push(text);
			return { kind: "split", what: text, end: nothing };
		},
	};
}

/** A drained node gives all leases away, and its replicas where others can take them; it is used again afterwards. */
export const leases: Nemesis = {
	name: "leases",
	about: "a node gives its leases and replicas to others, and takes some again",
	nodesMin: 2,
	begin: async (context) => {
		const node = context.cluster.pickMember(context.random);
		const id = await idOf(context, node.description.sqlPort, node.host);
		await withSession(context, (session) => session.query(`SELECT quorate_drain_node(${id})`));
		return {
			kind: "lease-move",
			what: node.name,
			end: () =>
				retried(() =>
					withSession(context, (session) => session.query(`SELECT quorate_undrain_node(${id})`)),
				),
		};
	},
};

/** In turn: a further node joins, and one is drained, removed and stopped. */
export const membership: Nemesis = {
	name: "membership",
	about: "a node joins, and one that was drained is removed for good",
	nodesMin: 3,
	begin: async (context) => {
		const { cluster, random } = context;
		const place = cluster.spare();
		if (place !== undefined) {
			const node = await cluster.join(place);
			return { kind: "node-added", what: node.name, end: nothing };
		}
		const node = cluster.pickMember(random);
		const id = await idOf(context, node.description.sqlPort, node.host);
		await withSession(context, (session) => session.query(`SELECT quorate_drain_node(${id})`));
		const end = async (): Promise<void> => {
			await until(`${node.name} is drained and removed`, () =>
				withSession(context, async (session) => {
					await session.query(`SELECT quorate_remove_node(${id})`);
					return true;
				}),
			);
			await cluster.leave(cluster.placeOf(node));
		};
		return { kind: "node-removed", what: node.name, end };
	},
};

async function idOf(context: NemesisContext, port: number, host: string): Promise<number> {
	const text = `SELECT node_id FROM quorate_nodes WHERE sql_address = '${host}:${port}' AND state <> 'removed' ORDER BY node_id DESC`;
	const id = await withSession(context, (session) => session.value(text));
	if (id === null) throw new Error(`no node serves SQL on ${host}:${port}`);
	return Number(id);
}

async function retried<T>(task: () => Promise<T>): Promise<void> {
	await until("a statement of the nemesis is answered", async () => {
		await task();
		return true;
	});
}
