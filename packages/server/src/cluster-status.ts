/** What the sessions of one node see of the whole cluster, and do to sessions of other nodes: every node is asked, and none waited for long. */
import {
	DatabaseError,
	type ErrorData,
	errorFromData,
	errorToData,
} from "@quorate/keys/database-error";
import type { NodeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { type CancelKey, nodeOfPid, pidNode } from "@quorate/pgwire/cancel-keys";
import type { PgServer } from "@quorate/pgwire/pg-server";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import type { Overview } from "@quorate/placement/messages";
import type { RangeStore } from "@quorate/replica/store";
import { type Body, type Rpc, RpcError } from "@quorate/rpc/types";
import type { NodeSessions } from "@quorate/sql/session/factory";
import type { StatementRunner } from "@quorate/sql/session/statement-runner";
import {
	type ClusterAccess,
	type ClusterActivity,
	type NodeActivity,
	type NodeChange,
	type NodeStatements,
	OutcomeLostError,
	type RemoteOutcome,
	type RemoteStatement,
} from "@quorate/sql/types/cluster-access";

/** A node that does not answer in this time is left out, or not signalled. */
const answerMs = 1_000;
/** A statement may wait for a lock for long; a node that is dead is noticed by its connection. */
const statementMs = 3_600_000;
/** Of each node, as many as it keeps. */
const shapesMost = 500;

export interface ClusterStatusOptions {
	readonly nodeId: NodeId;
	readonly rpc: Rpc;
	readonly placement: ConnectedPlacementClient;
	readonly store: RangeStore;
}

/** A flat array: the names of fields would be most of it. */
const statementToWire = (s: RemoteStatement): Body => [
	s.once.id,
	s.once.anchor,
	s.text,
	s.types,
	s.values,
	s.settings.flat(),
	s.role,
	s.process,
];

function statementFromWire(body: Body): RemoteStatement {
	const [id, anchor, text, types, values, flat, role, process] = body as readonly [
		TransactionId,
		Key,
		string,
		readonly number[],
		Uint8Array,
		readonly string[],
		number,
		number,
	];
	const settings: (readonly [string, string])[] = [];
	for (let i = 0; i < flat.length; i += 2) settings.push([flat[i]!, flat[i + 1]!]);
	return { once: { id, anchor }, text, types, values, settings, role, process };
}

interface Signal {
	readonly process: number;
	readonly what: "cancel" | "terminate";
}

export class ClusterStatus implements ClusterAccess {
	readonly #options: ClusterStatusOptions;

	constructor(options: ClusterStatusOptions) {
		this.#options = options;
	}

	/** This node's clients are served: its sessions can be told of. */
	serve(sessions: NodeSessions, server: PgServer): void {
		const { rpc, nodeId, store } = this.#options;
		rpc.handle("activity", (): NodeActivity => {
			const { locks, leftOut } = store.lockReport();
			return { nodeId, sessions: sessions.statuses(), locks, locksLeftOut: leftOut };
		});
		rpc.handle(
			"statements",
			(): NodeStatements => ({ nodeId, ...sessions.statements(shapesMost) }),
		);
		rpc.handle("session-signal", (body: Body) => {
			const { process, what } = body as Signal;
			return server.signal(process, what);
		});
		rpc.handle("session-cancel", (body: Body) => {
			server.cancelRequested(body as CancelKey);
			return null;
		});
		this.#run(sessions.runner);
	}

	/** What the sessions of other nodes have this one do. */
	#run(runner: StatementRunner): void {
		const { rpc } = this.#options;
		rpc.handle("run-statement", async (body, from) => {
			const outcome = from && (await runner.run(statementFromWire(body), from.nodeId));
			return outcome === undefined ? null : [outcome.tag, outcome.timestamp];
		});
		rpc.handle("cancel-statement", (body) => {
			const [id, reason] = body as readonly [TransactionId, ErrorData];
			runner.cancel(id, errorFromData(reason));
		});
		rpc.onDisconnect((node) => runner.nodeLost(node));
	}

	async runAt(node: NodeId, statement: RemoteStatement): Promise<RemoteOutcome> {
		const wire = statementToWire(statement);
		try {
			const answer = await this.#options.rpc.call(node, "run-statement", wire, {
				timeoutMs: statementMs,
			});
			if (answer === null) return undefined;
			const [tag, timestamp] = answer as readonly [string, Timestamp | null];
			return { tag, timestamp };
		} catch (error) {
			if (!(error instanceof RpcError)) throw error;
			if (error.failure === "unreachable") return undefined;
			throw new OutcomeLostError(error.message);
		}
	}

	cancelAt(node: NodeId, id: TransactionId, reason: DatabaseError): void {
		this.#options.rpc.send(node, "cancel-statement", [id, errorToData(reason)]);
	}

	async activity(): Promise<ClusterActivity> {
		const { answers, silent } = await this.askAll<NodeActivity>("activity", null);
		return { nodes: answers, silent };
	}

	async statements(): Promise<ClusterActivity> {
		const { answers, silent } = await this.askAll<NodeStatements>("statements", null);
		return { nodes: [], silent, statements: answers };
	}

	/** In order of the nodes. */
	async askAll<Answer extends { readonly nodeId: NodeId }>(
		method: string,
		body: Body,
	): Promise<{ readonly answers: readonly Answer[]; readonly silent: readonly NodeId[] }> {
		const answers: Answer[] = [];
		const silent: NodeId[] = [];
		await Promise.all(
			(await this.#nodes()).map(async (node) => {
				const answer = await this.#ask(node, method, body);
				if (answer === undefined) {
					silent.push(node);
				} else {
					answers.push(answer as unknown as Answer);
				}
			}),
		);
		answers.sort((a, b) => a.nodeId - b.nodeId);
		silent.sort((a, b) => a - b);
		return { answers, silent };
	}

	async signal(process: number, what: "cancel" | "terminate"): Promise<boolean> {
		const node = await this.#nodeOf(nodeOfPid(process));
		if (node === undefined) {
			return false;
		}
		const signal: Signal = { process, what };
		const answer = await this.#ask(node, "session-signal", signal);
		if (answer === undefined) {
			throw new DatabaseError("57P03", `node ${node} does not answer`, {
				detail: `The session with process id ${process} is connected to it.`,
			});
		}
		return answer === true;
	}

	overview(): Promise<Overview> {
		return this.#options.placement.overview();
	}

	async changeNode(node: number, change: NodeChange): Promise<void> {
		const states = { drain: "draining", undrain: "live", remove: "removed" } as const;
		await this.#options.placement.markNode(node as NodeId, states[change]);
	}

	/** In the background: whoever asks is told nothing in any case. */
	forwardCancel(node: number, key: CancelKey): void {
		this.#nodeOf(node)
			.then((found) => found && this.#ask(found, "session-cancel", key))
			.catch(() => {});
	}

	/** Undefined: it did not answer. */
	async #ask(node: NodeId, method: string, body: Body): Promise<Body | undefined> {
		try {
			return await this.#options.rpc.call(node, method, body, { timeoutMs: answerMs });
		} catch (error) {
			if (error instanceof RpcError) {
				return undefined;
			}
			throw error;
		}
	}

	/** Those that are not known to be gone for good. */
	async #nodes(): Promise<readonly NodeId[]> {
		const { placement, nodeId } = this.#options;
		const known =
			placement.nodesCached().length > 0 ? placement.nodesCached() : await placement.nodes();
		const others = known.filter((node) => node.nodeId !== nodeId && node.state !== "removed");
		return [nodeId, ...others.map((node) => node.nodeId)];
	}

	async #nodeOf(modulo: number): Promise<NodeId | undefined> {
		return (await this.#nodes()).find((node) => pidNode(node) === modulo);
	}
}
