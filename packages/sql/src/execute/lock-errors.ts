/** Errors of locks come with keys, which mean nothing to a client: here they get the names of tables and values. */
import { DatabaseError } from "@quorate/keys/database-error";
import { parseKey } from "@quorate/keys/key";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { TypeContext } from "../types/registry.ts";
import { describeKey, tableOfKey } from "./violation.ts";

/** Deadlocks, and locks that somebody else has. */
export const isLockError = (error: unknown): error is DatabaseError =>
	error instanceof DatabaseError && (error.code === "40P01" || error.code === "55P03");

/** As the layers below write it in their details. */
const keyInText = /\bon key (.*?)(; blocked by|\.$)/gm;

export function describeLockError(
	catalog: CatalogSnapshot,
	error: DatabaseError,
	context: TypeContext,
	isSeen: (table: TableDescriptor) => boolean,
): DatabaseError {
	const { code, message, fields } = error;
	let table: string | undefined;
	const detail = fields.detail?.replace(keyInText, (all: string, text: string, end: string) => {
		const key = parseKey(text);
		const where = describeKey(catalog, key, context, isSeen);
		table = tableOfKey(catalog, key);
		return where === undefined ? all : `on key ${where}${end}`;
	});
	if (detail === undefined) return error;
	const shown =
		code === "55P03" && table !== undefined ? `${message} in relation "${table}"` : message;
	return new DatabaseError(code, shown, { ...fields, detail });
}
