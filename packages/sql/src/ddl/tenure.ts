/**
 * Who fills an index, looks at rows, or runs a backup or a restore (`../backup/job.ts`). It says every few seconds that it is there, and
 * how far it has come, in a row of its own; whoever has seen that row unchanged for a while, by the clock of its own process alone, puts
 * itself in and goes on from there. One that was only slow finds out with its next word, and leaves. Two at once for that long do no harm:
 * to fill a stretch twice is to fill it once.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import { type Key, key } from "@quorate/keys/key";
import { addMs, type Timestamp } from "@quorate/keys/timestamp";
import type { Timer } from "@quorate/runtime/runtime";
import type { CancelSignal, Transaction } from "@quorate/txn/types";
import { buildKey, buildSpan, decodeId } from "../catalog/keys.ts";
import { isPassing, retrying } from "../session/retry.ts";
import { decodeWork, encodeWork } from "../session/stored-work.ts";
import { type Builder, begin } from "./fill.ts";

const tellEveryMs = 3_000;

/** A statement that is a job and no schema change: nothing but its row says that it is under way. */
export interface StatementJob {
	readonly kind: "BACKUP" | "BACKUP INCREMENTAL" | "RESTORE";
	readonly directory: string;
	/** Of a restore of one. */
	readonly table?: string;
	readonly databaseOid: number;
	/** The same for statements that go on with what one of them has begun. */
	readonly target: string;
	/** What the restore has begun (`../backup/restore-state.ts`); absent: nothing that is kept. */
	readonly restore?: number;
}

/** As stored. */
export interface BuildPlace {
	readonly owner: string;
	/** How often the owner has told. */
	readonly told: number;
	readonly rows: number;
	/** All rows before this key are done; in hexadecimal, "": none. */
	readonly key: string;
	/** Where it is being done; absent where an older build does it, and likewise below. */
	readonly node?: NodeId;
	/** When it was begun. */
	readonly started?: Timestamp;
	/** About so many rows there were then; absent: not known. */
	readonly rowsTotal?: number;
	/** CANCEL JOB has taken it back, then: nothing is left but this, for whoever waits for it. */
	readonly cancelled?: Timestamp;
	/** When the owner has told last; absent where it has left it to be gone on with. For people: nothing is decided by it. */
	readonly toldAt?: Timestamp;
	/** Absent: a schema change. */
	readonly statement?: StatementJob;
}

/** What it has come to. */
export interface Reached {
	/** All rows before this key are done. */
	readonly reached: Key | undefined;
	readonly rows: number;
	/** Undefined: not more is known than before. */
	readonly rowsTotal?: number | undefined;
}

const decode = (bytes: Uint8Array): BuildPlace => decodeWork(bytes, "the place of a schema change");

export async function placeOf(
	transaction: Transaction,
	id: number,
): Promise<BuildPlace | undefined> {
	const [bytes] = await transaction.get([buildKey(id)]);
	return bytes && decode(bytes);
}

/** Undefined: nobody has begun yet. */
export async function placesOf(
	builder: Pick<Builder, "services">,
	ids: readonly number[],
): Promise<readonly (BuildPlace | undefined)[]> {
	const transaction = await begin(builder, false);
	try {
		const found = await transaction.get(ids.map(buildKey));
		return found.map((bytes) => bytes && decode(bytes));
	} finally {
		await transaction.rollback();
	}
}

/** Those of all jobs that are not cancelled, and the time. */
export async function allPlaces(
	builder: Pick<Builder, "services">,
): Promise<{ readonly places: ReadonlyMap<number, BuildPlace>; readonly now: Timestamp }> {
	const places = new Map<number, BuildPlace>();
	const transaction = await begin(builder, false);
	try {
		const { timestamp: now } = await transaction.readTimestamp();
		for await (const page of transaction.scan(buildSpan, {})) {
			for (const { key: at, value } of page) {
				const place = decode(value);
				if (place.cancelled === undefined) places.set(decodeId(at, 2), place);
			}
		}
		return { places, now };
	} finally {
		await transaction.rollback();
	}
}

export const putPlace = (transaction: Transaction, id: number, place: BuildPlace): void =>
	transaction.put(buildKey(id), encodeWork(place));

export function withReached(place: BuildPlace, { reached, rows, rowsTotal }: Reached): BuildPlace {
	const text = reached === undefined ? "" : Buffer.from(reached, "latin1").toString("hex");
	return { ...place, rows, ...(rowsTotal === undefined ? {} : { rowsTotal }), key: text };
}

export const isSamePlace = (a: BuildPlace | undefined, b: BuildPlace | undefined): boolean =>
	a?.owner === b?.owner && a?.told === b?.told;

export const cancelledBy = (id: number): DatabaseError =>
	new DatabaseError("57014", `canceling statement due to CANCEL JOB ${id}`);

/** Whoever waits looks every second. */
const rememberedMs = 3_600_000;

/** Of the build that is being taken back; forgets those of long ago. */
export async function rememberCancelled(transaction: Transaction, id: number): Promise<void> {
	const { timestamp } = await transaction.readTimestamp();
	for await (const page of transaction.scan(buildSpan, {})) {
		for (const { key: at, value } of page) {
			const { cancelled } = decode(value);
			if (cancelled !== undefined && addMs(cancelled, rememberedMs) < timestamp) {
				transaction.delete(at);
			}
		}
	}
	putPlace(transaction, id, { owner: "", told: 0, rows: 0, key: "", cancelled: timestamp });
}

/** Throws 57014. */
export async function refuseCancelled(transaction: Transaction, id: number): Promise<void> {
	const place = await placeOf(transaction, id);
	if (place?.cancelled !== undefined) throw cancelledBy(id);
}

export const takenOver = (): DatabaseError =>
	new DatabaseError("55006", "another session goes on with this job, or has finished it");

export class Tenure {
	readonly #builder: Pick<Builder, "services" | "cancel">;
	readonly id: number;
	#place: BuildPlace;
	#lost: DatabaseError | undefined;
	#timer: Timer | undefined;
	#stopped = false;

	private constructor(
		builder: Pick<Builder, "services" | "cancel">,
		id: number,
		place: BuildPlace,
	) {
		this.#builder = builder;
		this.id = id;
		this.#place = place;
	}

	/** Undefined where the place is no longer the one that was `seen`: somebody else goes on. */
	static async take(
		builder: Pick<Builder, "services" | "cancel">,
		id: number,
		seen: BuildPlace | undefined,
		known: Pick<BuildPlace, "rowsTotal" | "statement">,
	): Promise<Tenure | undefined> {
		const { runtime, nodeId: node } = builder.services;
		const owner = Buffer.from(runtime.random.bytes(8)).toString("hex");
		const run = async (): Promise<Tenure | undefined> => {
			const transaction = await begin(builder, true);
			try {
				const before = await placeOf(transaction, id);
				if (!isSamePlace(before, seen)) {
					await transaction.rollback();
					return undefined;
				}
				const { timestamp: started } = await transaction.readTimestamp();
				const fresh = { rows: 0, key: "", started, ...known };
				const mine = { owner, node, told: 0, toldAt: started };
				const place: BuildPlace = { ...fresh, ...before, ...mine };
				putPlace(transaction, id, place);
				await transaction.commit();
				return new Tenure(builder, id, place);
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		};
		return retrying(runtime, run, isPassing);
	}

	get from(): Key | undefined {
		const { key: text } = this.#place;
		return text === "" ? undefined : key(Buffer.from(text, "hex").toString("latin1"));
	}

	get rows(): number {
		return this.#place.rows;
	}

	/** The statement's signal, and that another one goes on: of that nobody is told, but whoever asks. */
	get signal(): CancelSignal {
		const { cancel } = this.#builder;
		const tenure = this;
		return {
			get reason() {
				return cancel.reason ?? tenure.#lost;
			},
			onCancel: (listener) => cancel.onCancel(listener),
		};
	}

	get isLost(): boolean {
		return this.#lost !== undefined;
	}

	/** Until `stop`. */
	tell(fill: Reached): void {
		if (this.#stopped) return;
		this.#timer = this.#builder.services.runtime.scheduler.setTimer(tellEveryMs, () => {
			this.#timer = undefined;
			this.#tellOnce(fill).then(
				(goesOn) => {
					if (goesOn) this.tell(fill);
				},
				// It is tried again; who cannot be heard for long is taken for gone.
				() => this.tell(fill),
			);
		});
	}

	stop(): void {
		this.#timer?.cancel();
		this.#stopped = true;
	}

	/** What is stored, if it is still this one's; else whoever asks is told why not. */
	async own(transaction: Transaction): Promise<BuildPlace | undefined> {
		const stored = await placeOf(transaction, this.id);
		if (stored?.owner === this.#place.owner) return stored;
		if (!this.#stopped) {
			this.#lost = stored?.cancelled === undefined ? takenOver() : cancelledBy(this.id);
		}
		return undefined;
	}

	async #tellOnce(fill: Reached): Promise<boolean> {
		const transaction = await begin(this.#builder, true);
		try {
			const stored = await this.own(transaction);
			if (stored === undefined) {
				await transaction.rollback();
				return false;
			}
			const { timestamp: toldAt } = await transaction.readTimestamp();
			const told = { ...withReached(stored, fill), told: stored.told + 1, toldAt };
			putPlace(transaction, this.id, told);
			await transaction.commit();
			return true;
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	}
}
