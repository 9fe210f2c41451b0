/** A client of sessions in one process: runs statements and gives back what a driver would see, as text. */
import type { DatabaseError } from "@quorate/keys/database-error";
import type { Limits } from "@quorate/keys/limits";
import type { Disk, Runtime } from "@quorate/runtime/runtime";
import { createSessionFactory } from "../session/factory.ts";
import type { Notice, ResultColumn, ResultFormat, ResultSink, Session } from "../session/types.ts";
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";
import { memoryAdvisory } from "./memory-advisory.ts";
import { MemoryCoordinator } from "./memory-coordinator.ts";
import { testRuntime } from "./test-runtime.ts";

export interface StatementResult {
	readonly columns: readonly ResultColumn[] | undefined;
	/** Text format; null for NULL. */
	readonly rows: readonly (readonly (string | null)[])[];
	readonly tag: string | undefined;
}

export class CollectingSink implements ResultSink {
	readonly results: StatementResult[] = [];
	readonly notices: Notice[] = [];
	readonly parameters: [string, string][] = [];
	/** Of results, as the simple protocol sends them. */
	readonly formats: ResultFormat[] = [];
	/** What COPY TO STDOUT sent. */
	/** What COPY TO STDOUT has sent. */
	readonly chunks: Uint8Array[] = [];
	/** What COPY FROM STDIN is given. */
	input: readonly (string | Uint8Array)[] = [];
	readonly #session: () => Session;
	#columns: readonly ResultColumn[] | undefined;
	#rows: (string | null)[][] = [];

	constructor(session: () => Session) {
		this.#session = session;
	}

	get copied(): string {
		return Buffer.concat(this.chunks).toString("utf8");
	}

	notice(notice: Notice): void {
		this.notices.push(notice);
	}

	parameter(name: string, value: string): void {
		this.parameters.push([name, value]);
	}

	columns(columns: readonly ResultColumn[], format: ResultFormat = "text"): void {
		this.formats.push(format);
		this.#columns = columns;
	}

	/** For the extended protocol, whose columns come from Describe. */
	expect(columns: readonly ResultColumn[] | undefined): void {
		this.#columns = columns;
	}

	rows(rows: readonly (readonly Datum[])[]): void {
		const context = this.#session().typeContext;
		for (const row of rows) {
			this.#rows.push(
				row.map((value, i) => {
					if (value === null) return null;
					const type = typeByOid(this.#columns?.[i]?.type.oid ?? 25)!;
					return type.format(value, context);
				}),
			);
		}
	}

	complete(tag: string): void {
		this.results.push({ columns: this.#columns, rows: this.#rows, tag });
		this.#columns = undefined;
		this.#rows = [];
	}

	async *copyIn(): AsyncIterable<Uint8Array> {
		for (const chunk of this.input) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
	}

	copyOutStart(): void {}

	copyOut(chunk: Uint8Array): void {
		this.chunks.push(Buffer.from(chunk));
	}

	copyOutEnd(): void {}
}

export class TestClient {
	readonly session: Session;
	/** Of the last call. */
	sink: CollectingSink;

	constructor(session: Session) {
		this.session = session;
		this.sink = new CollectingSink(() => this.session);
	}

	/** Results of all statements of the text; rejects as the session does. */
	async query(
		text: string,
		input: readonly (string | Uint8Array)[] = [],
	): Promise<readonly StatementResult[]> {
		this.sink = new CollectingSink(() => this.session);
		this.sink.input = input;
		await this.session.query(text, this.sink);
		return this.sink.results;
	}

	/** Rows of the last statement. */
	async rows(text: string): Promise<readonly (readonly (string | null)[])[]> {
		return (await this.query(text)).at(-1)?.rows ?? [];
	}

	/** Tag of the last statement. */
	async tag(text: string): Promise<string | undefined> {
		return (await this.query(text)).at(-1)?.tag;
	}

	/** `CODE message` of the error that the text ends with. */
	async error(text: string): Promise<string> {
		try {
			await this.query(text);
		} catch (error) {
			const { code, message } = error as DatabaseError;
			return `${code} ${message}`;
		}
		return "no error";
	}

	/** One statement of the extended protocol, with parameters in text format; ends with Sync. */
	async execute(
		text: string,
		parameters: readonly (string | null)[] = [],
		types: readonly number[] = [],
		/** Sync has come with it. */
		isAlone = true,
	): Promise<StatementResult | undefined> {
		const { session } = this;
		const sink = new CollectingSink(() => session);
		this.sink = sink;
		try {
			const statement = await session.prepare("", text, types);
			const values = parameters.map((value, i) =>
				value === null
					? null
					: typeByOid(statement.parameterTypes[i]!)!.parse(value, -1, session.typeContext),
			);
			const portal = await session.bind("", "", values);
			sink.expect(portal.columns);
			await portal.execute(sink, 0, isAlone);
		} catch (error) {
			session.fail(error as DatabaseError);
			await session.sync();
			throw error;
		}
		await session.sync();
		return sink.results[0];
	}
}

export interface TestServer {
	readonly coordinator: MemoryCoordinator;
	/** As a node does by itself every few seconds; this one only so. */
	adoptBuilds(): Promise<void>;
	/** Likewise; whether something is left. */
	clearDropped(): Promise<boolean>;
	connect(parameters?: Readonly<Record<string, string>>): Promise<TestClient>;
	/** Ends all sessions, and what the node does for them on its own. */
	close(): Promise<void>;
}

export interface TestServerOptions {
	/** The machine's files. */
	readonly files?: Disk;
	/** Of a server that this one is another node of. */
	readonly coordinator?: MemoryCoordinator;
	readonly seed?: number;
	/** In place of what the test runtime has. */
	readonly parts?: Partial<Runtime>;
	readonly backupRoot?: string;
	readonly limits?: Limits;
	/** Bytes that the temporary tables of a session may take. */
	readonly temporaryMemory?: number;
}

export function testServer(options: TestServerOptions = {}): TestServer {
	const { files, seed = 1, limits = {}, temporaryMemory, backupRoot } = options;
	const { coordinator = new MemoryCoordinator() } = options;
	const runtime = { ...testRuntime(seed, files), ...options.parts };
	const factory = createSessionFactory({
		runtime,
		coordinator,
		placement: coordinator,
		advisory: memoryAdvisory(runtime, coordinator),
		clusterId: `cluster ${seed}`,
		limits,
		buildLookMs: 0,
		backupRoot,
		...(temporaryMemory === undefined ? {} : { temporaryMemory }),
	});
	const clients: TestClient[] = [];
	return {
		coordinator,
		adoptBuilds: () => factory.adoptBuilds(),
		clearDropped: () => factory.clearDropped(),
		connect: async (parameters = {}) => {
			const all = new Map(Object.entries({ user: "quorate", database: "quorate", ...parameters }));
			const client = new TestClient(await factory.open(all, clients.length + 1));
			clients.push(client);
			return client;
		},
		close: async () => {
			await Promise.all(clients.map(({ session }) => session.close()));
			factory.close();
		},
	};
}
