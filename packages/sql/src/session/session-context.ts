/** What functions may know of their session. One object a session, kept up to date rather than made anew. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime } from "@quorate/runtime/runtime";
import { mayUseSchema } from "../auth/privileges.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { temporaryAlias } from "../catalog/temporary.ts";
import { SeededRandom } from "../functions/seeded-random.ts";
import type { ClusterActivity, NodeChange } from "../types/cluster-access.ts";
import type { Datum, RowField } from "../types/datum.ts";
import type { IntervalStyle } from "../types/interval-text.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { StatementCancel } from "./cancel.ts";
import type { SessionIdentity } from "./session-identity.ts";
import { parseSearchPath, type Settings } from "./settings.ts";

/** Answers what needs the catalog, sequences, locks and notifications. */
export interface ContextCalls {
	/** That of the statement that runs, or ran last. */
	catalog(): CatalogSnapshot | undefined;
	catalogCall(name: string, args: readonly Datum[]): Datum;
	rowFields(oid: number): readonly RowField[];
	sequenceCall(name: string, args: readonly Datum[]): Datum | Promise<Datum>;
	sequenceState: FunctionContext["sequenceState"];
	/** The value of a setting that belongs to the running transaction; undefined: it is another one. */
	characteristic(name: string): string | undefined;
	/** SET ROLE and SET SESSION AUTHORIZATION as settings; false: it is another one. */
	setIdentity(name: string, value: string, local: boolean): boolean;
	advisoryCall(name: string, args: readonly Datum[]): Promise<Datum>;
	notify(channel: string, payload: string): void;
	listeningChannels(): readonly string[];
	sessionRows: FunctionContext["sessionRows"];
	notificationUsage(): number;
	clusterActivity(withAdvisory?: boolean): Promise<ClusterActivity>;
	signalBackend(process: number, what: "cancel" | "terminate"): Promise<boolean>;
	clusterOverview(): Promise<ClusterActivity>;
	clusterStatements(): Promise<ClusterActivity>;
	changeNode(node: number, change: NodeChange): Promise<void>;
	timestampCall(which: "read" | "commit" | "export"): Promise<Datum>;
	transactionNumber(drawn: boolean): Promise<Datum>;
}

/** 2000-01-01 in milliseconds since 1970. */
const postgresEpochMs = 946_684_800_000;

const toMicroseconds = (wallMs: number): bigint =>
	BigInt(Math.round((wallMs - postgresEpochMs) * 1000));

/** What search_path comes to, and what it depends on: who asks is a setting, too. */
interface FoundPath {
	readonly catalog: CatalogSnapshot | undefined;
	readonly settings: number;
	/** The session's temporary one first, if the path does not name it. */
	readonly schemas: readonly string[];
	readonly implicit: string | undefined;
	/** Where names are created. */
	readonly creation: string | undefined;
}

export class SessionContext implements FunctionContext {
	timeZone = "UTC";
	#seeded: SeededRandom | undefined;
	dateStyle = "ISO, MDY";
	intervalStyle: IntervalStyle = "postgres";
	extraFloatDigits = 1;
	byteaOutput: "hex" | "escape" = "hex";
	/** Milliseconds since 1970; made into what functions see only if one looks. */
	#transactionMs = 0;
	#statementMs = 0;
	#path: readonly string[] = ["public"];
	#found: FoundPath = {
		catalog: undefined,
		settings: -1,
		schemas: [],
		implicit: undefined,
		creation: undefined,
	};
	readonly currentDatabase: string;
	readonly backendPid: number;
	readonly catalogCall: FunctionContext["catalogCall"];
	readonly rowFields: FunctionContext["rowFields"];
	readonly #runtime: Runtime;
	readonly #settings: Settings;
	readonly #calls: ContextCalls;
	readonly #cancel: StatementCancel;
	readonly #identity: SessionIdentity;
	#settingsVersion = -1;

	constructor(parts: {
		readonly runtime: Runtime;
		readonly settings: Settings;
		readonly calls: ContextCalls;
		readonly cancel: StatementCancel;
		readonly identity: SessionIdentity;
		readonly database: string;
		readonly backendPid: number;
	}) {
		this.#runtime = parts.runtime;
		this.#settings = parts.settings;
		this.#calls = parts.calls;
		this.#cancel = parts.cancel;
		this.#identity = parts.identity;
		this.currentDatabase = parts.database;
		this.backendPid = parts.backendPid;
		this.catalogCall = (name, args) => this.#calls.catalogCall(name, args);
		this.rowFields = (oid) => this.#calls.rowFields(oid);
		this.refresh();
	}

	/** Takes over settings if any changed. */
	refresh(): void {
		const settings = this.#settings;
		settings.catchUp();
		if (this.#settingsVersion === settings.version) return;
		this.#settingsVersion = settings.version;
		this.timeZone = settings.value("TimeZone");
		this.dateStyle = settings.value("DateStyle");
		this.intervalStyle = settings.value("IntervalStyle") as IntervalStyle;
		this.extraFloatDigits = Number(settings.value("extra_float_digits"));
		this.byteaOutput = settings.value("bytea_output") === "escape" ? "escape" : "hex";
		this.#path = parseSearchPath(settings.value("search_path"));
	}

	/** Schemas of search_path that exist in the catalog of the running statement, and that the current role may use. */
	get searchPath(): readonly string[] {
		return this.#resolved().schemas;
	}

	get implicitSchema(): string | undefined {
		return this.#resolved().implicit;
	}

	/** The first schema of the path; pg_temp where it names that. */
	get creationSchema(): string | undefined {
		return this.#resolved().creation;
	}

	#resolved(): FoundPath {
		const catalog = this.#calls.catalog();
		const { version } = this.#settings;
		if (this.#found.catalog !== catalog || this.#found.settings !== version) {
			this.#found = this.#resolve(catalog, version);
		}
		return this.#found;
	}

	#resolve(catalog: CatalogSnapshot | undefined, settings: number): FoundPath {
		const path = this.#path;
		if (catalog === undefined) {
			return { catalog, settings, schemas: path, implicit: undefined, creation: path[0] };
		}
		const role = this.currentRole;
		const named = path.map((name) =>
			name === "$user" ? this.currentUser : catalog.schemas.nameOf(name),
		);
		const usable = [...new Set(named)].filter((name) => mayUseSchema(catalog, role, name));
		const temporary = catalog.schemas.temporary?.name;
		const implicit = usable.includes(temporary ?? "") ? undefined : temporary;
		return {
			catalog,
			settings,
			schemas: implicit === undefined ? usable : [implicit, ...usable],
			implicit,
			creation: named.find((name) => name === temporaryAlias || usable.includes(name)),
		};
	}

	get currentUser(): string {
		return this.#identity.currentName;
	}

	get sessionUser(): string {
		return this.#identity.sessionName;
	}

	get currentRole(): number {
		return this.#identity.currentOid;
	}

	startTransaction(): void {
		this.#transactionMs = this.#statementMs;
	}

	/** A message of the client came: all of its statements have this time. */
	startStatement(): void {
		this.refresh();
		this.#statementMs = this.#runtime.clock.wallMs();
	}

	get transactionStart(): bigint {
		return toMicroseconds(this.#transactionMs);
	}

	/** Milliseconds since 1970. */
	get transactionStartMs(): number {
		return this.#transactionMs;
	}

	get statementStart(): bigint {
		return toMicroseconds(this.#statementMs);
	}

	clockNow(): bigint {
		return toMicroseconds(this.#runtime.clock.wallMs());
	}

	random(): number {
		return this.#seeded?.float() ?? this.#runtime.random.float();
	}

	seedRandom(seed: number): void {
		this.#seeded = new SeededRandom(seed);
	}

	/** Whether random() has a sequence of the session's own. */
	get isSeeded(): boolean {
		return this.#seeded !== undefined;
	}

	randomBytes(count: number): Uint8Array {
		return this.#runtime.random.bytes(count);
	}

	setting(name: string): string | undefined {
		return this.#calls.characteristic(name.toLowerCase()) ?? this.#settings.get(name);
	}

	setSetting(name: string, value: string, local: boolean): string {
		if (!this.#calls.setIdentity(name.toLowerCase(), value, local)) {
			this.#settings.set(name, value, local);
		}
		this.refresh();
		return this.#settings.value(name);
	}

	sequenceCall(name: string, args: readonly Datum[]): Datum | Promise<Datum> {
		return this.#calls.sequenceCall(name, args);
	}

	sequenceState(oid: number): ReturnType<FunctionContext["sequenceState"]> {
		return this.#calls.sequenceState(oid);
	}

	advisoryCall(name: string, args: readonly Datum[]): Promise<Datum> {
		return this.#calls.advisoryCall(name, args);
	}

	notify(channel: string, payload: string): void {
		this.#calls.notify(channel, payload);
	}

	listeningChannels(): readonly string[] {
		return this.#calls.listeningChannels();
	}

	sessionRows(
		view: Parameters<FunctionContext["sessionRows"]>[0],
	): ReturnType<FunctionContext["sessionRows"]> {
		return this.#calls.sessionRows(view);
	}

	notificationUsage(): number {
		return this.#calls.notificationUsage();
	}

	clusterActivity(withAdvisory?: boolean): Promise<ClusterActivity> {
		return this.#calls.clusterActivity(withAdvisory);
	}

	signalBackend(process: number, what: "cancel" | "terminate"): Promise<boolean> {
		return this.#calls.signalBackend(process, what);
	}

	clusterOverview(): Promise<ClusterActivity> {
		return this.#calls.clusterOverview();
	}

	clusterStatements(): Promise<ClusterActivity> {
		return this.#calls.clusterStatements();
	}

	changeNode(node: number, change: NodeChange): Promise<void> {
		return this.#calls.changeNode(node, change);
	}

	timestampCall(which: "read" | "commit" | "export"): Promise<Datum> {
		return this.#calls.timestampCall(which);
	}

	transactionNumber(drawn: boolean): Promise<Datum> {
		return this.#calls.transactionNumber(drawn);
	}

	sleep(ms: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const timer = this.#runtime.scheduler.setTimer(ms, () => {
				stop();
				resolve();
			});
			const stop = this.#cancel.onCancel(() => {
				timer.cancel();
				reject(
					this.#cancel.reason ??
						new DatabaseError("57014", "canceling statement due to user request"),
				);
			});
		});
	}
}
