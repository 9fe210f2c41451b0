/** A table read through an access path. */
import type { AccessPath } from "../../plan/access-path.ts";
import type { Compiled } from "../../plan/compile.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { showSargs } from "../../plan/show.ts";
import type { Batch, Env } from "../env.ts";
import { Operator } from "../operator.ts";
import type { DirectRow } from "../plan-node.ts";
import type { TableReader } from "../table-reader.ts";

export class TableScan extends Operator {
	readonly label: string;
	readonly details: readonly string[];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate: number;
	readonly reader: TableReader;
	/** Set by a LIMIT right above. */
	limit: Compiled | undefined;

	constructor(reader: TableReader, relation: Relation) {
		super();
		this.reader = reader;
		this.layout = Layout.of(relation, reader.width + 1);
		this.estimate = reader.path.estimate;
		this.label = describePath(reader.path, relation);
		this.details = showSargs(reader.path);
	}

	direct(): DirectRow | undefined {
		const { reader } = this;
		if (!reader.ranges.isSingleSync) return undefined;
		return {
			read: (env) => reader.single([], env),
			byKey: reader.needsOneValue
				? {
						key: (env) => reader.ranges.singleKey([], env),
						decode: (key, value) => reader.decode(key, value),
					}
				: undefined,
			key: reader.path.codec.isPrimary ? (env) => reader.ranges.singleKey([], env) : undefined,
			finish: (row) => row,
		};
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const limit = this.limit === undefined ? undefined : await this.limit.evaluate([], env);
		yield* this.reader.read([], env, typeof limit === "bigint" ? Number(limit) : undefined);
	}
}

export function describePath(path: AccessPath, relation: Relation): string {
	const { table } = path.codec;
	const name = relation.name === table.name ? table.name : `${table.name} ${relation.name}`;
	const bare = path.equalities.length === 0 && path.low === undefined && path.high === undefined;
	if (path.codec.isPrimary && bare && path.order === undefined) return `Seq Scan on ${name}`;
	const backward = path.order === "backward" ? " Backward" : "";
	const how = path.isPoint ? "Index Lookup" : `Index Scan${backward}`;
	return `${how} using ${path.index.name} on ${name}`;
}
