/** Values as keys of hash tables: equal under the type's equality if and only if equal as JavaScript map keys. */
import { isArray } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";

export type HashKey = string | number | bigint | boolean;

/** One value that is not NULL. Integers of all sizes hash alike. */
export function hashOf(oid: number, value: Datum): HashKey {
	switch (typeof value) {
		case "number":
			return value === 0 ? 0 : value;
		case "bigint": {
			const number = Number(value);
			return Number.isSafeInteger(number) ? number : value;
		}
		case "boolean":
			return value;
		case "string":
			return oid === 1042 ? value.replace(/ +$/, "") : value;
		default:
			return hashObject(oid, value);
	}
}

const formatContext = {
	timeZone: "UTC",
	dateStyle: "ISO, MDY",
	extraFloatDigits: 3,
	byteaOutput: "hex",
	transactionStart: 0n,
} as const;

function hashObject(oid: number, value: Datum): HashKey {
	const type = typeByOid(oid);
	if (type?.keyCodec !== undefined) return type.keyCodec.encode(value);
	if (value !== null && typeof value === "object" && "kind" in value) {
		if (value.kind === "array") {
			const element = type?.elementOid ?? 25;
			const lower = value.lower === 1 || value.elements.length === 0 ? "" : `l${value.lower};`;
			const items = value.elements.map((item) => part(isArray(item) ? oid : element, item));
			return lower + items.join("");
		}
		if (value.kind === "row") {
			return value.fields.map((item) => part(25, item)).join("");
		}
		if (value.kind === "interval") {
			const days = BigInt(value.months) * 30n + BigInt(value.days);
			return days * 86_400_000_000n + value.microseconds;
		}
	}
	return type === undefined ? String(value) : type.format(value, formatContext);
}

/** Self-delimiting, so that parts can be joined. */
function part(oid: number, value: Datum): string {
	if (value === null) return "n";
	const hash = hashOf(oid, value);
	if (typeof hash === "string") return `s${hash.length}:${hash}`;
	return `${typeof hash === "boolean" ? "b" : "d"}${hash};`;
}

/** Key of several values; NULLs equal each other (GROUP BY, DISTINCT). */
export function rowHasher(
	oids: readonly number[],
	slots: readonly number[],
): (row: readonly Datum[]) => HashKey | null {
	if (slots.length === 1) {
		const [slot, oid] = [slots[0]!, oids[0]!];
		return (row) => {
			const value = row[slot]!;
			return value === null ? null : hashOf(oid, value);
		};
	}
	return (row) => {
		let key = "";
		for (let i = 0; i < slots.length; i++) key += part(oids[i]!, row[slots[i]!]!);
		return key;
	};
}
