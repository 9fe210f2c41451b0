/** One connection's session: simple and extended protocol over the same state. */
import { DatabaseError } from "@quorate/keys/database-error";
import { dependsOnSchema } from "../catalog/catalog.ts";
import type { RoleDescriptor } from "../catalog/role.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { ExecRow } from "../execute/env.ts";
import { sizeOf } from "../execute/memory.ts";
import type { Statement } from "../parser/ast.ts";
import { type LexedStatement, lex, lexInParts, longLength } from "../parser/parse.ts";
import { isPlanned } from "../plan/plan-statement.ts";
import type { Datum } from "../types/datum.ts";
import type { TypeContext } from "../types/registry.ts";
import { asOfClause, pastTimestamp } from "./as-of.ts";
import { autocommit } from "./autocommit.ts";
import { CursorPortal } from "./cursor-portal.ts";
import { noStatement } from "./executed.ts";
import { innerStatement } from "./explain.ts";
import { readAlone } from "./lone-read.ts";
import type { NodeServices } from "./node-services.ts";
import type { Delivery } from "./notification-hub.ts";
import { DirectOutput } from "./output.ts";
import { type PortalObserver, QuoratePortal } from "./portal.ts";
import {
	bindAndPlan,
	emptyPrepared,
	type Prepared,
	parseStatement,
	placed,
	planFor,
	preparedOf,
	statementBytes,
} from "./prepared.ts";
import { isRepeatable, replay, type Told } from "./replay.ts";
import { isConflict } from "./retry.ts";
import { runElsewhere } from "./run-elsewhere.ts";
import { endsFailure, prepareSimple, runStatement } from "./run-statement.ts";
import { utilityColumns } from "./run-utility.ts";
import { SessionState } from "./session-state.ts";
import { isControl, runControl } from "./transaction-control.ts";
import type { Portal, PreparedStatement, ResultSink, Session, TransactionStatus } from "./types.ts";

export class QuorateSession implements Session, PortalObserver {
	readonly state: SessionState;
	/** A rollback that `fail` began: whatever comes next waits for it. */
	#failing: Promise<void> | undefined;
	/** How many statements the implicit transaction of the extended protocol has begun. */
	#implicitStatements = 0;
	#told: Told | undefined;
	#closed = false;

	constructor(services: NodeServices, role: RoleDescriptor, backendPid: number, address: string) {
		this.state = new SessionState(services, role, backendPid, address);
		services.sessions.add(this.state);
	}

	get transactionStatus(): TransactionStatus {
		return this.state.status;
	}

	get isSuperuser(): boolean {
		return this.state.settings.value("is_superuser") === "on";
	}

	get typeContext(): TypeContext {
		return this.state.context;
	}

	reportedSettings(): readonly (readonly [string, string])[] {
		return this.state.settings.reported();
	}

	// Simple protocol

	async query(text: string, sink: ResultSink): Promise<boolean> {
		try {
			return await this.#query(text, sink);
		} finally {
			this.#rest();
		}
	}

	async #query(text: string, sink: ResultSink): Promise<boolean> {
		this.state.timeouts.busy();
		await this.#settled();
		this.state.sink = sink;
		this.state.context.startStatement();
		// A simple query ends what the extended protocol left open.
		await this.state.dropPortals();
		let statements: LexedStatement[];
		try {
			const lexed = this.#lex(text);
			statements = lexed instanceof Promise ? await lexed : lexed;
		} catch (error) {
			await this.state.fail();
			throw error;
		}
		if (statements.length === 0) return false;
		const last = statements.length - 1;
		if (last > 0) await this.#parseAll(statements);
		for (let i = 0; i <= last; i++) {
			await this.#one(statements[i]!, sink, last === 0, i === last);
		}
		return true;
	}

	#lex(text: string): LexedStatement[] | Promise<LexedStatement[]> {
		if (text.length < longLength) return lex(text);
		return lexInParts(text, () => this.state.services.runtime.scheduler.yield());
	}

	/** A syntax error anywhere in the string is found before any of it runs. */
	async #parseAll(statements: readonly LexedStatement[]): Promise<void> {
		try {
			for (const lexed of statements) await prepareSimple(this.state, lexed);
		} catch (error) {
			await this.state.fail();
			throw error;
		}
	}

	async #one(
		lexed: LexedStatement,
		sink: ResultSink,
		alone: boolean,
		isLast: boolean,
	): Promise<void> {
		const { state } = this;
		state.context.refresh();
		state.activity.begin(lexed.text);
		state.cancel.begin(state.statementTimeoutMs);
		let prepared: Prepared | undefined;
		let failed = true;
		try {
			prepared = await prepareSimple(state, lexed);
			const { utility } = prepared;
			const refusal = state.block?.refusal;
			if (refusal !== undefined && !endsFailure(utility)) throw refusal;
			if (isControl(utility)) {
				sink.complete(await runControl(state, utility));
			} else if (state.block === undefined && alone) {
				if (!(await this.#runShortly(prepared, sink))) {
					sink.complete(await autocommit(state, prepared, [], sink, true));
				}
			} else {
				const block = state.block ?? state.begin(false);
				const tag = await runStatement(state, block, prepared, [], new DirectOutput(sink));
				// The block may be another by now only if the statement ended it.
				if (isLast && state.block?.explicit === false) await state.commit();
				sink.complete(tag);
			}
			if (isLast && state.block?.explicit === false) await state.commit();
			failed = false;
		} catch (error) {
			const shown = state.translate(error);
			await state.fail();
			throw shown;
		} finally {
			state.cancel.end();
			state.ended(prepared, state.activity.end(), failed);
		}
	}

	/** False: nothing has happened. */
	async #runShortly(prepared: Prepared, sink: ResultSink): Promise<boolean> {
		const elsewhere = runElsewhere(this.state, prepared, []);
		const tag = elsewhere && (await elsewhere);
		if (tag !== undefined) {
			sink.complete(tag);
			return true;
		}
		const rows = await readAlone(this.state, prepared, []);
		if (rows === undefined) return false;
		sink.columns(prepared.plan!.plan.columns!);
		const waiting = sink.rows(rows);
		if (waiting !== undefined) await waiting;
		sink.complete(`SELECT ${rows.length}`);
		return true;
	}

	// Extended protocol

	async prepare(
		name: string,
		text: string,
		parameterTypes: readonly number[],
	): Promise<PreparedStatement> {
		this.state.timeouts.busy();
		await this.#settled();
		const { state } = this;
		if (name !== "" && state.statements.has(name)) {
			throw new DatabaseError("42P05", `prepared statement "${name}" already exists`);
		}
		state.statements.requireRoom(name);
		const found = this.#lex(text);
		const statements = found instanceof Promise ? await found : found;
		if (statements.length > 1) {
			throw new DatabaseError("42601", "cannot insert multiple commands into a prepared statement");
		}
		const lexed = statements[0];
		const made = lexed === undefined ? emptyPrepared : await this.#prepare(lexed, parameterTypes);
		const prepared = name === "" ? made : { ...made, since: state.context.statementStart };
		state.statements.set(name, prepared, statementBytes(text));
		return prepared;
	}

	/** S2 for errors as well: what is not there may have come with a version that this node has not heard of. */
	async #prepare(lexed: LexedStatement, types: readonly number[]): Promise<Prepared> {
		const { state } = this;
		state.context.startStatement();
		const transaction = state.block?.refusal === undefined ? state.block?.transaction : undefined;
		const found =
			transaction === undefined
				? state.newestCatalog()
				: state.catalogOf(state.block!, transaction);
		const snapshot = found instanceof Promise ? await found : found;
		try {
			return await this.#prepareWith(snapshot, lexed, types);
		} catch (thrown) {
			const error = state.translate(thrown);
			if (transaction !== undefined || !dependsOnSchema(error)) throw error;
			const now = await state.services.catalog.confirmed();
			if (now.version === snapshot.version) throw error;
			return this.#prepareWith(state.temporary.over(now), lexed, types).catch((failed) => {
				throw state.translate(failed);
			});
		}
	}

	async #prepareWith(
		snapshot: CatalogSnapshot,
		lexed: LexedStatement,
		types: readonly number[],
	): Promise<Prepared> {
		const { state } = this;
		const { block } = state;
		const refusal = block?.refusal;
		const failed = refusal !== undefined;
		state.snapshot = snapshot;
		const isShared = block?.changesSchema !== true;
		if (!failed && isShared) {
			const { plans } = state;
			const known = plans.find(lexed, types, snapshot.version, state.context.searchPath);
			if (known !== undefined && known.plan.asOf === undefined) {
				return preparedOf(lexed, types, undefined, known, known.plan.columns);
			}
		}
		const statement = await parseStatement(state, lexed);
		if (failed && !endsFailure(statement)) throw refusal;
		if (!isPlanned(statement)) {
			const bare = preparedOf(lexed, types, statement, undefined, utilityColumns(state, statement));
			if (statement.kind !== "explain" && statement.kind !== "declare") return bare;
			return { ...bare, parameterTypes: await this.#innerTypes(statement, lexed, types) };
		}
		try {
			const bare = {
				...preparedOf(lexed, types, undefined, undefined, undefined),
				parsed: statement,
			};
			const asOf = asOfClause(statement);
			const then =
				asOf === undefined
					? snapshot
					: await state.services.catalog.at(await pastTimestamp(state, asOf, lexed));
			const plan = await planFor(state, bare, then, isShared);
			return preparedOf(lexed, types, undefined, plan, plan.plan.columns);
		} catch (error) {
			throw placed(error, lexed.offset);
		}
	}

	/** Types of the parameters of a statement in another one. Throws what binding it throws. */
	async #innerTypes(
		statement: Extract<Statement, { kind: "explain" | "declare" }>,
		lexed: LexedStatement,
		types: readonly number[],
	): Promise<readonly number[]> {
		// What EXECUTE runs has its parameters from there.
		if (statement.kind === "explain" && statement.statement.kind === "execute") return types;
		const { state } = this;
		const { block } = state;
		const snapshot =
			block?.transaction === undefined
				? await state.newestCatalog()
				: await state.catalogOf(block, block.transaction);
		try {
			const inner =
				statement.kind === "declare" ? statement.query : innerStatement(state, statement.statement);
			return bindAndPlan(state, inner, lexed, types, snapshot).parameterTypes;
		} catch (error) {
			throw placed(error, lexed.offset);
		}
	}

	statement(name: string): PreparedStatement | undefined {
		return this.state.statements.get(name);
	}

	closeStatement(name: string): void {
		this.state.statements.delete(name);
	}

	/** A promise only where something must end first. */
	bind(
		portalName: string,
		statementName: string,
		parameters: readonly Datum[],
	): QuoratePortal | Promise<QuoratePortal> {
		if (this.#isDisturbed) {
			return this.#settled().then(() => this.#bind(portalName, statementName, parameters));
		}
		return this.#bind(portalName, statementName, parameters);
	}

	#bind(
		portalName: string,
		statementName: string,
		parameters: readonly Datum[],
	): QuoratePortal | Promise<QuoratePortal> {
		const { state } = this;
		const statement = state.statements.get(statementName);
		if (statement === undefined) throw noStatement(statementName);
		const refusal = state.block?.refusal;
		if (refusal !== undefined && !endsFailure(statement.utility)) throw refusal;
		const wanted = statement.parameterTypes.length;
		if (parameters.length !== wanted) {
			throw new DatabaseError(
				"08P01",
				`bind message supplies ${parameters.length} parameters, but prepared statement "${statementName}" requires ${wanted}`,
			);
		}
		const before = this.state.portals.get(portalName);
		if (before !== undefined && portalName !== "") {
			throw new DatabaseError("42P03", `cursor "${portalName}" already exists`);
		}
		state.portals.requireRoom(portalName);
		const portal = new QuoratePortal(state, statement, parameters, this);
		const closing = before?.close();
		return closing === undefined
			? this.#bound(portalName, portal)
			: closing.then(() => this.#bound(portalName, portal));
	}

	#bound(name: string, portal: QuoratePortal): QuoratePortal {
		this.state.portals.set(name, portal, name === "" ? 0 : sizeOf(portal.parameters));
		return portal;
	}

	portal(name: string): Portal | undefined {
		const portal = this.state.portals.get(name);
		if (portal !== undefined) return portal;
		const cursor = this.state.cursors.find(name);
		return cursor && new CursorPortal(cursor);
	}

	async closePortal(name: string): Promise<void> {
		const portal = this.state.portals.get(name);
		this.state.portals.delete(name);
		await portal?.close();
	}

	started(): void {
		this.#implicitStatements++;
		this.#told = undefined;
	}

	completed(portal: QuoratePortal, tag: string, rows: readonly ExecRow[] | undefined): void {
		const { block } = this.state;
		if (block?.explicit !== false || this.#implicitStatements !== 1) return;
		if (block.hasLasting) return;
		if (!isRepeatable(portal.statement) || rows === undefined) return;
		this.#told = { prepared: portal.statement, parameters: portal.parameters, tag, rows };
	}

	/** A promise only where something must be waited for: not after a statement that only read. */
	sync(): void | Promise<void> {
		const ending = this.#end();
		if (ending !== undefined) return ending.finally(() => this.#rest());
		this.#rest();
		return undefined;
	}

	/** The client's turn. */
	#rest(): void {
		if (!this.#closed) this.state.timeouts.idle(this.state.status);
	}

	#end(): void | Promise<void> {
		const { block } = this.state;
		if (this.#isDisturbed) return this.#settled().then(() => this.#sync());
		if (block === undefined || block.explicit) {
			this.#told = undefined;
			this.#implicitStatements = 0;
			return block === undefined ? this.state.dropPortals() : undefined;
		}
		if (block.failed || !this.state.commitAtOnce()) return this.#sync();
		this.#told = undefined;
		this.#implicitStatements = 0;
		return this.state.dropPortals();
	}

	async #sync(): Promise<void> {
		const { state } = this;
		const told = this.#told;
		this.#told = undefined;
		this.#implicitStatements = 0;
		try {
			if (state.block === undefined || state.block.explicit) return;
			if (state.block.failed) await state.rollback();
			else await this.#commitImplicit();
		} catch (error) {
			const shown = state.translate(error);
			if (told === undefined || !isConflict(shown)) throw shown;
			await replay(state, told, shown);
		} finally {
			if (state.block === undefined) await this.state.dropPortals();
		}
	}

	async #commitImplicit(): Promise<void> {
		const { runtime, statistics } = this.state.services;
		const begunMs = runtime.clock.monotonicMs();
		let failed = true;
		try {
			await this.state.commit();
			failed = false;
		} finally {
			statistics.noteCommit(runtime.clock.monotonicMs() - begunMs, failed);
		}
	}

	fail(_error: DatabaseError): void {
		this.#told = undefined;
		this.#failing = this.state.fail().finally(() => {
			this.#failing = undefined;
		});
	}

	/** It is closed, or something must end first. */
	get #isDisturbed(): boolean {
		return this.#closed || this.#failing !== undefined || this.state.terminated !== undefined;
	}

	async #settled(): Promise<void> {
		if (this.state.terminated !== undefined) throw this.state.terminated;
		if (this.#closed) {
			throw new DatabaseError("57P01", "terminating connection due to administrator command", {
				severity: "FATAL",
			});
		}
		if (this.#failing !== undefined) await this.#failing;
	}

	get terminated(): DatabaseError | undefined {
		return this.state.terminated;
	}

	takeNotifications(): readonly Delivery[] {
		return this.state.notifications.take();
	}

	attend(listener: () => void): void {
		this.state.onAttention = listener;
	}

	cancel(): void {
		this.state.cancel.cancel(new DatabaseError("57014", "canceling statement due to user request"));
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.state.timeouts.close();
		this.state.services.sessions.delete(this.state);
		this.state.cancel.cancel(
			new DatabaseError("57P01", "terminating connection due to administrator command"),
		);
		if (this.#failing !== undefined) await this.#failing;
		await this.state.dropPortals();
		this.state.statements.clear();
		await this.state.rollback();
		this.state.temporary.close();
		this.state.notifications.close();
		await this.state.advisory.close();
	}
}
