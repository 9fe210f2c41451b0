/**
 * Removes the rows of tables and indexes that were dropped or truncated (S4), once no one can read as of a time before: the ranges see to
 * that (`@quorate/replica/clears`). The catalog says what was dropped; a line of it goes when nothing is left of its rows. Each node that
 * runs statements looks, since it is no matter who does it, nor whether it is done twice.
 */
import { isActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Timer } from "@quorate/runtime/runtime";
import { OwnTransactions } from "@quorate/txn/own-transactions";
import { decodeId, droppedIndexKey, droppedIndexSpan, indexSpan } from "../catalog/keys.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { NodeServices } from "./node-services.ts";

export const defaultClearEveryMs = 120_000;

interface Dropped {
	readonly indexId: number;
	readonly at: Timestamp;
}

export class DroppedData {
	readonly #services: NodeServices;
	readonly #everyMs: number;
	#timer: Timer | undefined;
	/** The catalog has changed since the last look began. */
	#hasNews = false;
	#isClosed = false;

	/** `everyMs` 0: only when `look` is called. */
	constructor(services: NodeServices, everyMs: number) {
		this.#services = services;
		this.#everyMs = everyMs;
	}

	/** The catalog has changed. */
	follow(catalog: CatalogSnapshot): void {
		this.#hasNews = true;
		if (catalog.dropped.size > 0 && this.#timer === undefined && this.#everyMs > 0) {
			this.#lookLater();
		}
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	#lookLater(): void {
		if (this.#isClosed) {
			return;
		}
		const { scheduler, logger } = this.#services.runtime;
		this.#timer = scheduler.setTimer(this.#everyMs, () => {
			this.look().then(
				(isLeft) => {
					this.#timer = undefined;
					if (isLeft || this.#hasNews) this.#lookLater();
				},
				(error: unknown) => {
					if (!(error instanceof DatabaseError)) throw error;
					logger.log("info", "what was dropped is not removed yet", { error: String(error) });
					this.#lookLater();
				},
			);
		});
	}

	/** Whether something is left to be removed later. */
	async look(): Promise<boolean> {
		const { coordinator, runtime, placement } = this.#services;
		let isLeft = false;
		this.#hasNews = false;
		if (!isActive(placement.settings().values, "clearing")) {
			return true;
		}
		for (const { indexId, at } of await this.#dropped()) {
			if (this.#isClosed) {
				return false;
			}
			if (!(await coordinator.clear(indexSpan(indexId), at))) {
				isLeft = true;
				continue;
			}
			await this.#forget(indexId);
			runtime.logger.log("info", "the rows of a dropped index are removed", { index: indexId });
		}
		return isLeft;
	}

	/** With when they were dropped: the timestamp of the line that says so. */
	async #dropped(): Promise<readonly Dropped[]> {
		const { coordinator, placement } = this.#services;
		const { timestamp: now } = await placement.issue();
		const all = { span: droppedIndexSpan, above: null, base: true, after: now, upTo: now };
		const found: Dropped[] = [];
		for await (const { rows } of coordinator.changes(all)) {
			for (const { key, ts, value } of rows) {
				if (value !== null) found.push({ indexId: decodeId(key, 2), at: ts });
			}
		}
		return found;
	}

	async #forget(indexId: number): Promise<void> {
		const { runtime, coordinator, placement } = this.#services;
		await new OwnTransactions(runtime, coordinator, placement).run(async (transaction) => {
			transaction.delete(droppedIndexKey(indexId));
		});
	}
}
