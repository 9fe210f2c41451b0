/** What .keyvalue() makes, and the ids in it: of the document that an object is in, and where it is in that. */
import { type Json, type JsonObject, jsonObject } from "../../types/json-value.ts";
import { numericFromBigint } from "../../types/numeric.ts";
import { layoutOf } from "./layout.ts";

/** Room for places within one document. */
const documentFactor = 10_000_000_000n;

/** To make one. */
const pairSteps = 10;

export class KeyValues {
	#base: Json;
	#id = 0;
	#next: number;
	/** The last one that was made, and of what. */
	#layout: { readonly of: Json; readonly places: ReadonlyMap<Json, number> } | undefined;
	readonly #spend: (steps: number) => void;

	/** `spend`: told of what takes as long as so many steps. */
	constructor(root: Json, variables: JsonObject | undefined, spend: (steps: number) => void) {
		this.#base = root;
		this.#spend = spend;
		this.#next = variables === undefined ? 1 : 2;
	}

	/** While `body` runs, objects are of this document. */
	within<T>(base: Json, id: number, body: () => T): T {
		const before = [this.#base, this.#id] as const;
		[this.#base, this.#id] = [base, id];
		try {
			return body();
		} finally {
			[this.#base, this.#id] = before;
		}
	}

	/** Objects of key, value and id, each with a number of its own as a document. */
	*pairsOf(value: JsonObject): Iterable<readonly [JsonObject, number]> {
		if (value.size === 0) return;
		const place = this.#places().get(value) ?? 0;
		const id = numericFromBigint(BigInt(this.#id) * documentFactor + BigInt(place));
		for (const [key, member] of value) {
			this.#spend(pairSteps);
			const pair = jsonObject([
				["key", key],
				["value", member],
				["id", id],
			]);
			yield [pair, this.#next++];
		}
	}

	#places(): ReadonlyMap<Json, number> {
		if (this.#layout?.of !== this.#base) {
			this.#layout = { of: this.#base, places: layoutOf(this.#base) };
			this.#spend(this.#layout.places.size);
		}
		return this.#layout.places;
	}
}
