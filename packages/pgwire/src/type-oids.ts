/** pg_type OIDs of the types that have a short way through the encoders; all others go through the type registry. */
export const oids = {
	bool: 16,
	name: 19,
	int8: 20,
	int2: 21,
	int4: 23,
	text: 25,
	oid: 26,
	json: 114,
	float4: 700,
	float8: 701,
	unknown: 705,
	bpchar: 1042,
	varchar: 1043,
} as const;

/** Types whose datum is a string that is sent as it is, in text and in binary. */
export const stringOids: ReadonlySet<number> = new Set([
	oids.name,
	oids.text,
	oids.json,
	oids.unknown,
	oids.bpchar,
	oids.varchar,
]);

/** The same for parameters: name truncates and json validates what it is given. */
export const plainTextOids: ReadonlySet<number> = new Set([
	oids.text,
	oids.unknown,
	oids.bpchar,
	oids.varchar,
]);
