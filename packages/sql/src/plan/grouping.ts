/**
 * Grouping: aggregate calls and group keys of one SELECT are replaced by columns of the aggregation's rows. What remains
 * of the input afterwards is an error (42803), except columns of a table whose whole primary key is grouped: they depend
 * on it and become keys too.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { liveColumns } from "../catalog/descriptor.ts";
import { baseTables } from "./bind-select.ts";
import type { Binder } from "./binder.ts";
import { type AggregateCall, type Bound, columnOf, mapArgs, someNode } from "./bound.ts";
import type { Aggregation, LogicalFrom } from "./logical.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import { same, sameCall } from "./same.ts";

export class Grouping {
	readonly #binder: Binder;
	readonly #relations: readonly Relation[];
	readonly #from: readonly LogicalFrom[];
	readonly #groups: Bound[];
	readonly #calls: AggregateCall[] = [];
	readonly #groupColumns: RelationColumn[] = [];
	readonly #callColumns: RelationColumn[] = [];
	readonly #groupRelation: Relation;
	readonly #callRelation: Relation;
	readonly #having: Bound | undefined;
	#active = false;
	#boundHaving: Bound | undefined;

	constructor(
		binder: Binder,
		relations: readonly Relation[],
		from: readonly LogicalFrom[],
		groups: readonly Bound[],
		having: Bound | undefined,
	) {
		this.#binder = binder;
		this.#relations = relations;
		this.#from = from;
		this.#groups = [];
		this.#groupRelation = new Relation("", undefined, this.#groupColumns);
		this.#callRelation = new Relation("", undefined, this.#callColumns);
		for (const group of groups) this.#addGroup(group);
		this.#having = having;
	}

	/** Projections over the aggregation's rows, or as they are where nothing is aggregated. */
	apply(projections: readonly Bound[]): readonly Bound[] {
		const isAggregate = (node: Bound): boolean => node.kind === "aggregate";
		this.#active =
			this.#groups.length > 0 ||
			this.#having !== undefined ||
			projections.some((projection) => someNode(projection, isAggregate));
		if (!this.#active) return projections;
		const out = projections.map((projection) => this.#replace(projection));
		if (this.#having !== undefined) this.#boundHaving = this.#replace(this.#having);
		return out;
	}

	result(): Aggregation | undefined {
		if (!this.#active) return undefined;
		return {
			groups: this.#groups,
			calls: this.#calls,
			groupRelation: this.#groupRelation,
			callRelation: this.#callRelation,
			having: this.#boundHaving,
		};
	}

	#addGroup(bound: Bound): number {
		this.#groups.push(bound);
		this.#groupColumns.push({ name: "", type: bound.type, tableOid: 0, attnum: 0 });
		return this.#groups.length - 1;
	}

	#replace(bound: Bound): Bound {
		const group = this.#groups.findIndex((candidate) => same(this.#binder, candidate, bound));
		if (group >= 0) return columnOf(this.#groupRelation, group, bound.at);
		if (bound.kind === "aggregate") return this.#call(bound.call, bound.at);
		if (bound.kind === "column" && this.#relations.includes(bound.relation)) {
			if (this.#dependsOnKey(bound.relation)) {
				return columnOf(this.#groupRelation, this.#addGroup(bound), bound.at);
			}
			const { relation } = bound;
			throw new DatabaseError(
				"42803",
				`column "${relation.name}.${relation.columns[bound.column]!.name}" must appear in the GROUP BY clause or be used in an aggregate function`,
				bound.at >= 0 ? { position: bound.at + 1 } : {},
			);
		}
		return mapArgs(bound, (arg) => this.#replace(arg));
	}

	#call(call: AggregateCall, at: number): Bound {
		let index = this.#calls.findIndex((known) => sameCall(this.#binder, known, call));
		if (index < 0) {
			index = this.#calls.length;
			this.#calls.push(call);
			this.#callColumns.push({ name: call.name, type: call.type, tableOid: 0, attnum: 0 });
		}
		return columnOf(this.#callRelation, index, at);
	}

	#dependsOnKey(relation: Relation): boolean {
		const item = baseTables(this.#from).find((candidate) => candidate.relation === relation);
		const key = item?.table.primary.columns ?? [];
		if (item === undefined || key.length === 0) return false;
		const live = liveColumns(item.table);
		return key.every(({ attnum }) => {
			const slot = live.findIndex((column) => column.attnum === attnum);
			return this.#groups.some(
				(group) => group.kind === "column" && group.relation === relation && group.column === slot,
			);
		});
	}
}
