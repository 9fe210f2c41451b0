/** What a statement has taken from the catalog, as far as it can be told. Types, schemas and roles are not among it: any may count. */
import { relationOf } from "../catalog/snapshot.ts";
import type { Datum } from "../types/datum.ts";
import type { Binder } from "./binder.ts";

/** Calls that ask for nothing but types. */
const ofTypes: ReadonlySet<string> = new Set(["enum_in", "enum_out", "enum_values"]);

export class CatalogUse {
	/** Tables, views and sequences. */
	readonly oids = new Set<number>();
	/** Without schemas, of whatever was looked for, there or not. */
	readonly names = new Set<string>();
	/** It may have been anything. */
	isUnknown = false;

	/** So it has neither read nor written a row. */
	get isEmpty(): boolean {
		return this.oids.size === 0 && this.names.size === 0 && !this.isUnknown;
	}

	add({ oids, names, isUnknown }: CatalogUse): void {
		for (const oid of oids) this.oids.add(oid);
		for (const name of names) this.names.add(name);
		this.isUnknown ||= isUnknown;
	}

	lookedUp(name: string, found: ReturnType<Binder["lookup"]>): void {
		this.names.add(name);
		if (found === undefined) return;
		if (found.kind === "virtual") this.isUnknown = true;
		else this.oids.add(found.kind === "index" ? found.table.oid : relationOf(found).oid);
	}

	/** A function about the catalog (`context.catalogCall`). */
	asked(call: string, [text]: readonly Datum[]): void {
		if (ofTypes.has(call)) return;
		const isPlain = typeof text === "string" && /^[^"]+$/.test(text);
		if (call === "regclassin" && isPlain) this.names.add(text.split(".").at(-1)!.toLowerCase());
		else this.isUnknown = true;
	}
}
