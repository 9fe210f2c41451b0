/** What the sessions of one node see of the whole cluster, and do to sessions of other nodes: every node is asked, and none waited for long. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import { type CancelKey, nodeOfPid, pidNode } from "@quorate/pgwire/cancel-keys";
import type { PgServer } from "@quorate/pgwire/pg-server";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import type { Overview } from "@quorate/placement/messages";
import type { RangeStore } from "@quorate/replica/store";
import { type Body, type Rpc, RpcError } from "@quorate/rpc/types";
import type { NodeSessions } from "@quorate/sql/session/factory";
import type {
	ClusterAccess,
	ClusterActivity,
	NodeActivity,
	NodeChange,
	NodeStatements,
} from "@quorate/sql/types/cluster-access";

/** A node that does not answer in this time is left out, or not signalled. */
const answerMs = 1_000;
/** Of each node, as many as it keeps. */
const shapesMost = 500;

export interface ClusterStatusOptions {
	readonly nodeId: NodeId;
	readonly rpc: Rpc;
	readonly placement: ConnectedPlacementClient;
	readonly store: RangeStore;
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
