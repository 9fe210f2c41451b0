/**
 * Follows a span of keys: everything that commits there, in the order of commits, each once, from a timestamp on (`replica/feed.ts`
 * says why nothing is missed). It goes on from where it is through lease moves, splits and dead leaseholders.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { RangeAnswer } from "@quorate/replica/requests";
import type { Runtime } from "@quorate/runtime/runtime";
import { type RangeRouter, throwErrors } from "./router.ts";
import type { Change, FeedFollower, FollowedFeed } from "./types.ts";

export interface ChangeFeedOptions {
	readonly runtime: Runtime;
	readonly router: Pick<RangeRouter, "cut" | "request">;
	readonly span: Span;
	readonly follower: FeedFollower;
}

/** A leaseholder that has nothing to tell answers after so long. */
const waitMs = 2_000;
/** One that does not answer by then is looked for elsewhere. */
const attemptMs = 4_000;
/** Between two questions where several ranges must be asked, and after a failure. */
const pauseMs = 50;

export class ChangeFeed implements FollowedFeed {
	readonly #options: ChangeFeedOptions;
	/** Told up to here. */
	#at: Timestamp;
	#stopped = false;

	constructor(options: ChangeFeedOptions, after: Timestamp) {
		this.#options = options;
		this.#at = after;
		void this.#follow();
	}

	get at(): Timestamp {
		return this.#at;
	}

	stop(): void {
		this.#stopped = true;
	}

	async #follow(): Promise<void> {
		const { runtime, follower } = this.#options;
		while (!this.#stopped) {
			try {
				await this.#ask();
			} catch (error) {
				runtime.logger.log("debug", "a change feed did not get on", { error: String(error) });
				if (error instanceof DatabaseError && error.code === "72000" && !this.#stopped) {
					this.#stopped = true;
					follower.gap();
					return;
				}
				await this.#pause();
			}
		}
	}

	async #ask(): Promise<void> {
		const { router, span } = this.#options;
		const parts = await router.cut([span]);
		const isWhole = parts.length === 1;
		const answers = await Promise.all(
			parts.map((part) => this.#askOne(part.span, isWhole ? waitMs : 0)),
		);
		const rows: Change[] = [];
		let upTo = Number.MAX_SAFE_INTEGER as Timestamp;
		for (const answer of answers) {
			if (answer.kind !== "changes") {
				throwErrors(answer);
				// The ranges have changed: they are looked up again.
				return;
			}
			rows.push(...answer.rows);
			upTo = Math.min(upTo, answer.upTo) as Timestamp;
		}
		if (this.#stopped) {
			return;
		}
		const told = rows.filter((row) => row.ts <= upTo);
		if (!isWhole) {
			told.sort((a, b) => a.ts - b.ts || (a.key < b.key ? -1 : 1));
		}
		this.#at = upTo;
		this.#options.follower.changes(told, upTo);
		if (!isWhole) {
			await this.#pause();
		}
	}

	#askOne(span: Span, ms: number): Promise<RangeAnswer> {
		const body = { kind: "changes" as const, span, after: this.#at, waitMs: ms };
		return this.#options.router.request(span.start, body, { idempotent: true, attemptMs });
	}

	#pause(): Promise<void> {
		const { scheduler } = this.#options.runtime;
		return new Promise((resolve) => scheduler.setTimer(pauseMs, resolve));
	}
}
