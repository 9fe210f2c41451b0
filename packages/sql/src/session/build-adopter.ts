/**
 * Goes on with schema changes for which a node has begun to go over rows, and that nobody goes on with any more (`ddl/tenure.ts`). The
 * catalog, of which each node that runs statements has the newest version, says which have not ended: while there are none, nothing is
 * done.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Timer } from "@quorate/runtime/runtime";
import { bootstrapRole } from "../catalog/role.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { build } from "../ddl/backfill.ts";
import { type BuildPlace, isSamePlace, placesOf } from "../ddl/tenure.ts";
import { type UnfinishedBuild, unfinishedBuilds } from "../ddl/unfinished.ts";
import type { StatementCancel } from "./cancel.ts";
import type { NodeServices } from "./node-services.ts";
import { QuorateSession } from "./session.ts";

export const defaultLookEveryMs = 5_000;
/** Whoever is at it tells every 3 s. Counted in looks, not in time: a process that stood still has not listened meanwhile. */
const silentLooksMax = 4;
/** Above those of clients: who looks into pg_stat_activity sees what runs, and can end it. */
const firstPid = 1_000_000_000;

interface Watched {
	readonly place: BuildPlace | undefined;
	/** So many looks ago it was the same. */
	readonly looks: number;
}

export class BuildAdopter {
	readonly #services: NodeServices;
	readonly #lookEveryMs: number;
	/** By the id of the build. */
	#watched = new Map<number, Watched>();
	#timer: Timer | undefined;
	#closed = false;
	/** Of the one that it is at. */
	#cancel: StatementCancel | undefined;
	#pid = firstPid;

	/** `lookEveryMs` 0: only when `look` is called. */
	constructor(services: NodeServices, lookEveryMs: number) {
		this.#services = services;
		this.#lookEveryMs = lookEveryMs;
	}

	/** The catalog has changed. */
	follow(catalog: CatalogSnapshot): void {
		const isIdle = unfinishedBuilds(catalog).length === 0;
		if (isIdle) this.#stop();
		else if (this.#timer === undefined && !this.#closed && this.#lookEveryMs > 0) this.#lookLater();
	}

	/** What it is at is left to other nodes. */
	close(): void {
		this.#closed = true;
		this.#stop();
		this.#cancel?.cancel(new DatabaseError("57P03", "the database system is shutting down"));
	}

	#stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#watched.clear();
	}

	#lookLater(): void {
		const { scheduler, logger } = this.#services.runtime;
		const timer = scheduler.setTimer(this.#lookEveryMs, () => {
			this.look()
				.catch((error) =>
					logger.log("warn", "unfinished schema changes were not looked at", { error }),
				)
				.finally(() => {
					if (this.#timer === timer) this.#lookLater();
				});
		});
		this.#timer = timer;
	}

	/** Ends when what it has taken over, if anything, is done. */
	async look(): Promise<void> {
		const builds = unfinishedBuilds(await this.#services.catalog.newest());
		if (builds.length === 0) {
			this.#stop();
			return;
		}
		const places = await placesOf(
			{ services: this.#services },
			builds.map(({ id }) => id),
		);
		const before = this.#watched;
		this.#watched = new Map();
		for (const [i, one] of builds.entries()) {
			const place = places[i];
			const seen = before.get(one.id);
			const isSilent = seen !== undefined && isSamePlace(seen.place, place);
			this.#watched.set(one.id, { place, looks: isSilent ? seen.looks + 1 : 0 });
		}
		for (const one of builds) {
			const { place, looks } = this.#watched.get(one.id)!;
			if (looks >= silentLooksMax) await this.#adopt(one, place);
		}
	}

	async #adopt(one: UnfinishedBuild, place: BuildPlace | undefined): Promise<void> {
		this.#watched.delete(one.id);
		const { logger } = this.#services.runtime;
		const fields = { statement: one.kind, object: one.object, table: one.table };
		logger.log("info", "going on with a schema change that was left behind", fields);
		const { database } = one;
		const known = await this.#services.catalog.newest();
		const services = this.#services.inDatabase(database, known.databaseName(database) ?? "");
		const session = new QuorateSession(services, bootstrapRole, this.#pid++, "");
		const { state } = session;
		this.#cancel = state.cancel;
		state.cancel.begin(0);
		try {
			await build(state, one.tableOid, one.id, place);
		} catch (error) {
			logger.log("warn", "a schema change that was left behind cannot be", { ...fields, error });
		} finally {
			state.cancel.end();
			this.#cancel = undefined;
			await session.close();
		}
	}
}
