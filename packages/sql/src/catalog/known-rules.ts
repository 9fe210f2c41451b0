/** The rules for the scheduler, which asks for them often and waits for nothing: they are read in the background when the schema is newer. */
import type { PlacementRules } from "@quorate/keys/placement-rule";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Catalog } from "./catalog.ts";
import { placementRules } from "./configuration.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

export class KnownRules {
	readonly #catalog: Catalog;
	readonly #runtime: Runtime;
	#read: { readonly of: CatalogSnapshot; readonly rules: PlacementRules } | undefined;
	#isReading = false;

	constructor(catalog: Catalog, runtime: Runtime) {
		this.#catalog = catalog;
		this.#runtime = runtime;
	}

	/** As last read; undefined: never yet. */
	now(): PlacementRules | undefined {
		const known = this.#catalog.known();
		if (known !== undefined && known !== this.#read?.of) {
			this.#read = { of: known, rules: placementRules(known) };
		} else if (known === undefined) {
			this.#readSoon();
		}
		return this.#read?.rules;
	}

	#readSoon(): void {
		if (this.#isReading) return;
		this.#isReading = true;
		Promise.resolve(this.#catalog.newest())
			.catch((error: unknown) => {
				this.#runtime.logger.log("debug", "the catalog was not read for the scheduler", {
					error: String(error),
				});
			})
			.finally(() => {
				this.#isReading = false;
			});
	}
}
