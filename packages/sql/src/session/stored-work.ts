/** How rows that say how far long work has come are stored: JSON with a format. */
import { DatabaseError } from "@quorate/keys/database-error";

const format = 1;

export const encodeWork = (value: object): Uint8Array =>
	Buffer.from(JSON.stringify({ format, ...value }), "utf8");

/** `what` it is, for the error 0A000 where a newer node wrote it. */
export function decodeWork<T>(bytes: Uint8Array, what: string): T {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const { format: found, ...rest } = JSON.parse(text) as T & { format: number };
	if (found <= format) return rest as T;
	throw new DatabaseError("0A000", `${what} has format ${found}, this node knows up to ${format}`, {
		hint: "Upgrade this node.",
	});
}
