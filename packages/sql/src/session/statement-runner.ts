/**
 * Runs changes of one row for sessions of other nodes, where this node leads the row's range (`run-elsewhere.ts`): each as a transaction
 * by itself, which commits in one phase under the id that it was given, or not at all.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, TransactionId } from "@quorate/keys/ids";
import { decodeValues } from "../execute/value-codec.ts";
import { lex } from "../parser/parse.ts";
import type { RemoteOutcome, RemoteStatement } from "../types/cluster-access.ts";
import type { NodeServices } from "./node-services.ts";
import { preparedOf } from "./prepared.ts";
import { startPlanned } from "./run-planned.ts";
import { SessionState } from "./session-state.ts";

/** Kept for the next statement, of each kind. */
const idleMost = 64;
/** Kinds of sessions, by role and settings, that are kept. */
const kindsMost = 16;

interface Running {
	readonly state: SessionState;
	readonly from: NodeId;
}

export class StatementRunner {
	readonly #services: NodeServices;
	/** By role and settings. */
	readonly #idle = new Map<string, SessionState[]>();
	readonly #running = new Map<TransactionId, Running>();

	constructor(services: NodeServices) {
		this.#services = services;
	}

	/** Rejects with what the statement fails with. */
	async run(statement: RemoteStatement, from: NodeId): Promise<RemoteOutcome> {
		const { once } = statement;
		if (!this.#services.coordinator.leadsHere(once.anchor)) return undefined;
		const kind = JSON.stringify([statement.role, statement.settings]);
		const state = this.#idle.get(kind)?.pop() ?? (await this.#open(statement));
		this.#running.set(once.id, { state, from });
		state.cancel.begin(0);
		try {
			return await run(state, statement);
		} catch (error) {
			await state.rollback();
			throw state.translate(error);
		} finally {
			state.cancel.end();
			this.#running.delete(once.id);
			this.#keep(kind, state);
		}
	}

	cancel(id: TransactionId, reason: DatabaseError): void {
		this.#running.get(id)?.state.cancel.cancel(reason);
	}

	/** Nobody waits for what it has asked for. */
	nodeLost(node: NodeId): void {
		for (const { state, from } of this.#running.values()) {
			if (from !== node) continue;
			// A gateway that lives all the same runs it itself.
			state.cancel.cancel(new DatabaseError("40001", "the connection to the gateway was lost"));
		}
	}

	async #open({ role, settings }: RemoteStatement): Promise<SessionState> {
		const { roles } = await this.#services.catalog.newest();
		const descriptor = roles.byOid(role);
		if (descriptor === undefined) {
			throw new DatabaseError("57P03", "this node does not know the role yet");
		}
		// Only those of the first database are run for another node (`run-elsewhere.ts`).
		const state = new SessionState(this.#services, descriptor, 0, "");
		for (const [name, value] of settings) state.settings.setInitial(name, value);
		return state;
	}

	#keep(kind: string, state: SessionState): void {
		const idle = this.#idle.get(kind) ?? [];
		if (idle.length >= idleMost) {
			close(state);
			return;
		}
		idle.push(state);
		// Moved to the end: the kind that was not asked for the longest goes first.
		this.#idle.delete(kind);
		this.#idle.set(kind, idle);
		if (this.#idle.size <= kindsMost) return;
		const [oldest] = this.#idle;
		this.#idle.delete(oldest![0]);
		for (const one of oldest![1]) close(one);
	}
}

function close(state: SessionState): void {
	state.timeouts.close();
	state.notifications.close();
	void state.advisory.close();
}

async function run(state: SessionState, statement: RemoteStatement): Promise<RemoteOutcome> {
	const { services, context } = state;
	const { once, process, types } = statement;
	context.startStatement();
	const snapshot = await services.catalog.newest();
	state.snapshot = snapshot;
	const block = state.begin(false);
	const transaction = services.coordinator.begin({
		isolation: "serializable",
		mode: "pessimistic",
		readOnly: false,
		lockTimeoutMs: block.characteristics.lockTimeoutMs,
		schemaVersion: snapshot.version,
		process,
		oneStatement: true,
		once,
	});
	block.transaction = transaction;
	const [lexed] = lex(statement.text);
	const known = services.plans.find(lexed!, types, snapshot.version, context.searchPath);
	const prepared = preparedOf(lexed!, types, undefined, known, undefined);
	const parameters = decodeValues(types, statement.values);
	const running = await startPlanned(state, block, prepared, parameters);
	const { timestamp } = await transaction.commit();
	state.block = undefined;
	state.timeouts.ended();
	return { tag: running.tag(0), timestamp: timestamp ?? null };
}
