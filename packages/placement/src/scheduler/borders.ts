/**
 * A range follows one rule. Where data under several rules share one it is split at their borders; until that is done it follows the
 * rule for its first key.
 */
import type { RangeId } from "@quorate/keys/ids";
import { formatKey, type Key } from "@quorate/keys/key";
import type { PlacementRules } from "@quorate/keys/placement-rule";
import { type RangeInfo, rangeSpan } from "@quorate/keys/range";
import type { Runtime } from "@quorate/runtime/runtime";

/** At once. */
const keysMax = 16;
/** After one that failed. */
const restMs = 10_000;

export interface BordersOptions {
	readonly runtime: Runtime;
	splitAt(keys: readonly Key[]): Promise<void>;
	/** Something was done. */
	record(range: RangeId, reason: string): void;
}

export class Borders {
	readonly #options: BordersOptions;
	/** What the directory shows that shall be no more: it hears of a split a little later. */
	#isSplitting = false;
	#restsUntilMs = 0;

	constructor(options: BordersOptions) {
		this.#options = options;
	}

	/** `missing`: it did not work a moment ago, and will be tried again. */
	step(ranges: readonly RangeInfo[], rules: PlacementRules): "there" | "splitting" | "missing" {
		if (this.#isSplitting) return "splitting";
		const found = rules.isUniform ? [] : missingBorders(ranges, rules);
		if (found.length === 0) return "there";
		if (this.#options.runtime.clock.monotonicMs() < this.#restsUntilMs) return "missing";
		this.#isSplitting = true;
		void this.#split(found).finally(() => {
			this.#isSplitting = false;
		});
		return "splitting";
	}

	async #split(found: readonly Border[]): Promise<void> {
		const { runtime, splitAt, record } = this.#options;
		try {
			await splitAt(found.map(({ key }) => key));
			for (const { rangeId, key } of found) {
				record(rangeId, `another placement holds from ${formatKey(key)} on`);
			}
		} catch (error) {
			this.#restsUntilMs = runtime.clock.monotonicMs() + restMs;
			runtime.logger.log("warn", "ranges could not be split where another placement begins", {
				error: String(error),
			});
		}
	}
}

interface Border {
	readonly rangeId: RangeId;
	readonly key: Key;
}

function missingBorders(ranges: readonly RangeInfo[], rules: PlacementRules): readonly Border[] {
	const found: Border[] = [];
	for (const { descriptor } of ranges) {
		const { rangeId } = descriptor;
		found.push(...rules.borders(rangeSpan(descriptor)).map((key) => ({ rangeId, key })));
		if (found.length >= keysMax) break;
	}
	return found.slice(0, keysMax);
}
