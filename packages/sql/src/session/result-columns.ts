/** Columns of what statements without a plan return. */
import { plainType, textType } from "../plan/bound.ts";
import type { ResultColumn } from "./types.ts";

export const textColumn = (name: string): ResultColumn => ({
	name,
	type: textType,
	tableOid: 0,
	attribute: 0,
});

const int8Column = (name: string): ResultColumn => ({
	name,
	type: plainType(20),
	tableOid: 0,
	attribute: 0,
});

const float8Column = (name: string): ResultColumn => ({
	name,
	type: plainType(701),
	tableOid: 0,
	attribute: 0,
});

export const rangeColumns: readonly ResultColumn[] = [
	int8Column("range_id"),
	textColumn("start_key"),
	textColumn("end_key"),
	int8Column("leaseholder"),
	textColumn("replicas"),
	int8Column("size"),
	float8Column("requests_per_second"),
];
