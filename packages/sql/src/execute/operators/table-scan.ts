/** A table read through an access path. */
import type { AccessPath } from "../../plan/access-path.ts";
import type { Compiled } from "../../plan/compile.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { scanFacts, showSargs } from "../../plan/show.ts";
import type { Batch, Env } from "../env.ts";
import { Operator } from "../operator.ts";
import type { DirectRow, PlanFacts } from "../plan-node.ts";
import type { TableReader } from "../table-reader.ts";

export class TableScan extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
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
		this.facts = pathFacts(reader.path, relation);
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

const isWhole = ({ equalities, low, high, order, codec }: AccessPath): boolean =>
	codec.isPrimary &&
	equalities.length === 0 &&
	low === undefined &&
	high === undefined &&
	order === undefined;

/** A lookup is PostgreSQL's index scan that finds one row. */
function pathFacts(path: AccessPath, relation: Relation): PlanFacts {
	const { table } = path.codec;
	if (isWhole(path)) return scanFacts("Seq Scan", table, relation.name);
	return {
		...scanFacts("Index Scan", table, relation.name),
		"Scan Direction": path.order === "backward" ? "Backward" : "Forward",
		"Index Name": path.index.name,
	};
}

export function describePath(path: AccessPath, relation: Relation): string {
	const { table } = path.codec;
	const name = relation.name === table.name ? table.name : `${table.name} ${relation.name}`;
	if (isWhole(path)) return `Seq Scan on ${name}`;
	const backward = path.order === "backward" ? " Backward" : "";
	const how = path.isPoint ? "Index Lookup" : `Index Scan${backward}`;
	return `${how} using ${path.index.name} on ${name}`;
}
