/** Columns of what statements without a plan return. */
import { plainType, textType } from "../plan/bound.ts";
import { OID } from "../types/oids.ts";
import type { ResultColumn } from "./types.ts";

export const textColumn = (name: string): ResultColumn => ({
	name,
	type: textType,
	tableOid: 0,
	attribute: 0,
});

const column = (name: string, typeOid: number): ResultColumn => ({
	name,
	type: plainType(typeOid),
	tableOid: 0,
	attribute: 0,
});

const float8Column = (name: string): ResultColumn => column(name, OID.float8);
const int8Column = (name: string): ResultColumn => column(name, OID.int8);

export const rangeColumns: readonly ResultColumn[] = [
	int8Column("range_id"),
	textColumn("start_key"),
	textColumn("end_key"),
	int8Column("leaseholder"),
	textColumn("replicas"),
	int8Column("size"),
	float8Column("requests_per_second"),
];

/** SHOW CONFIGURATION */
export const configurationColumns: readonly ResultColumn[] = [
	textColumn("setting"),
	textColumn("value"),
	textColumn("source"),
];

/**
 * SHOW JOBS: schema changes whose rows are being dealt with, backups and restores. `state`: "pending" while nobody has begun, "interrupted"
 * where a backup or a restore has to be run again to be gone on with; what is not known is NULL.
 */
export const jobColumns: readonly ResultColumn[] = [
	int8Column("job_id"),
	textColumn("statement"),
	textColumn("table_name"),
	textColumn("object_name"),
	textColumn("state"),
	int8Column("rows_done"),
	int8Column("rows_total"),
	column("started", OID.timestamptz),
	int8Column("node"),
];

/** SHOW BACKUP: for each backup of the chain one row for each of its parts. */
export const backupColumns: readonly ResultColumn[] = [
	int8Column("backup"),
	textColumn("kind"),
	int8Column("from_timestamp"),
	int8Column("to_timestamp"),
	column("to_time", OID.timestamptz),
	textColumn("object"),
	textColumn("name"),
	int8Column("changes"),
];
