/** The collations that there are. All of them order text by its bytes; which one a column was given is kept, and shown. */
import { dictionary } from "@quorate/keys/dictionary";

export const collationOids = dictionary<number>({
	default: 100,
	C: 950,
	POSIX: 951,
	ucs_basic: 12340,
});

/** What COLLATE has said of a column; absent: nothing. */
export interface Collated {
	/** OID in pg_collation. */
	readonly collation?: number;
}

export const collationName = (oid: number): string =>
	Object.keys(collationOids).find((name) => collationOids[name] === oid)!;
