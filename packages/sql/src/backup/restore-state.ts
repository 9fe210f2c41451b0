/**
 * What the cluster knows of a restore that is under way, in two rows: what it makes of what, written once, and how far it is, which every
 * batch writes together with its rows. Whoever goes on with a restore puts a token of its own into the second: the batch of the one
 * before then fails, for it has read another (B7).
 */
import type { Transaction } from "@quorate/txn/types";
import { encodeDropped } from "../catalog/dropped-index.ts";
import {
	decodeId,
	droppedIndexKey,
	restoreKey,
	restorePlaceKey,
	restoreSpan,
} from "../catalog/keys.ts";
import { mayRepeat, retrying } from "../session/retry.ts";
import { decodeWork, encodeWork } from "../session/stored-work.ts";
import { beginBeside, type RestoreWork } from "./work.ts";

/** What is made of what. */
export interface RestorePlan {
	/** The same for statements that ask for the same: backup, timestamp and objects. */
	readonly target: string;
	/** Old and new numbers. */
	readonly numbers: readonly (readonly [number, number])[];
	/** Of tables with hidden row ids, by the old number of their rows' prefix: what is added to an id. */
	readonly rowShifts: readonly (readonly [number, number])[];
	/** New physical prefixes, which nothing names until the end. */
	readonly prefixes: readonly number[];
}

export interface RestorePlace {
	/** Index of the table. */
	readonly table: number;
	/** The next row's key in the backup, in hexadecimal; "": its first. */
	readonly key: string;
	/** Loaded so far. */
	readonly rows: number;
}

interface StoredPlace extends RestorePlace {
	readonly owner: string;
}

const decode = <T>(bytes: Uint8Array): T => decodeWork(bytes, "a restore that was begun");

export class RestoreState {
	readonly plan: RestorePlan;
	readonly #work: RestoreWork;
	readonly #id: number;
	readonly #owner: string;
	#place: RestorePlace;

	private constructor(
		work: RestoreWork,
		id: number,
		plan: RestorePlan,
		owner: string,
		place: RestorePlace,
	) {
		this.#work = work;
		this.#id = id;
		this.plan = plan;
		this.#owner = owner;
		this.#place = place;
	}

	get place(): RestorePlace {
		return this.#place;
	}

	/** The one of that target, if there is one: it is this statement's from now on. */
	static async resume(work: RestoreWork, target: string): Promise<RestoreState | undefined> {
		const owner = newOwner(work);
		return retrying(work.services.runtime, async () => {
			const transaction = await beginBeside(work, "optimistic");
			try {
				for await (const page of transaction.scan(restoreSpan)) {
					for (const { key, value } of page) {
						const plan = decode<RestorePlan>(value);
						if (plan.target !== target) continue;
						const id = decodeId(key, 2);
						const place = await storedPlace(transaction, id);
						if (place === undefined) continue;
						transaction.put(restorePlaceKey(id), encodeWork({ ...place, owner }));
						await work.job.keep(transaction, id);
						await transaction.commit();
						return new RestoreState(work, id, plan, owner, place);
					}
				}
				await transaction.rollback();
				return undefined;
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
	}

	static async begin(work: RestoreWork, plan: RestorePlan): Promise<RestoreState> {
		const owner = newOwner(work);
		const id = await work.services.objectIds.take();
		const place = { table: 0, key: "", rows: 0 };
		await retrying(work.services.runtime, async () => {
			const transaction = await beginBeside(work, "optimistic");
			try {
				transaction.put(restoreKey(id), encodeWork(plan));
				transaction.put(restorePlaceKey(id), encodeWork({ ...place, owner }));
				await work.job.keep(transaction, id);
				await transaction.commit();
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
		return new RestoreState(work, id, plan, owner, place);
	}

	/** Rows, and with them how far they reach. */
	async batch(place: RestorePlace, write: (transaction: Transaction) => void): Promise<void> {
		await retrying(
			this.#work.services.runtime,
			async () => {
				const transaction = await beginBeside(this.#work, "optimistic");
				try {
					await this.#own(transaction);
					write(transaction);
					transaction.put(restorePlaceKey(this.#id), encodeWork({ ...place, owner: this.#owner }));
					await transaction.commit();
				} catch (error) {
					await transaction.rollback();
					throw error;
				}
			},
			mayRepeat,
		);
		this.#place = place;
	}

	/** In the transaction that makes everything visible. */
	async finish(transaction: Transaction): Promise<void> {
		await this.#own(transaction);
		remove(transaction, this.#id);
		await this.#work.job.finish(transaction);
	}

	/** Nobody will go on with it. */
	async abandon(): Promise<void> {
		await retrying(this.#work.services.runtime, async () => {
			const transaction = await beginBeside(this.#work, "optimistic");
			try {
				await this.#own(transaction);
				await giveUpRestore(transaction, this.#id);
				await this.#work.job.keep(transaction, undefined);
				await transaction.commit();
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
	}

	async #own(transaction: Transaction): Promise<void> {
		const place = await storedPlace(transaction, this.#id);
		if (place?.owner === this.#owner) return;
		return this.#work.job.refuse(transaction);
	}
}

function remove(transaction: Transaction, id: number): void {
	transaction.delete(restoreKey(id));
	transaction.delete(restorePlaceKey(id));
}

/** Whoever is at it finds out with its next batch. */
export async function giveUpRestore(transaction: Transaction, id: number): Promise<void> {
	const [bytes] = await transaction.get([restoreKey(id)]);
	if (bytes === undefined) return;
	remove(transaction, id);
	for (const prefix of decode<RestorePlan>(bytes).prefixes) {
		transaction.put(droppedIndexKey(prefix), encodeDropped(null));
	}
	// Nodes look for what was dropped when the catalog has changed.
	transaction.markSchemaChange();
}

const newOwner = ({ services }: RestoreWork): string =>
	Buffer.from(services.runtime.random.bytes(8)).toString("hex");

async function storedPlace(transaction: Transaction, id: number): Promise<StoredPlace | undefined> {
	const [bytes] = await transaction.get([restorePlaceKey(id)]);
	return bytes && decode<StoredPlace>(bytes);
}
