/**
 * Grouping: aggregate calls and group keys of one SELECT are replaced by columns of the aggregation's rows. What remains
 * of the input afterwards is an error (42803), except columns of a table whose whole primary key is grouped: they depend
 * on it and become keys too.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { liveColumns } from "../catalog/descriptor.ts";
import type { BoundGroups } from "./bind-group.ts";
import { baseTables } from "./bind-select.ts";
import type { Binder } from "./binder.ts";
import {
	type AggregateCall,
	type Bound,
	beginningOf,
	columnOf,
	mapArgs,
	someNode,
} from "./bound.ts";
import type { Aggregation, LogicalFrom, SetProjection } from "./logical.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import { same, sameCall } from "./same.ts";
import type { Scope } from "./scope.ts";

export class Grouping {
	readonly #binder: Binder;
	readonly #scope: Scope;
	readonly #from: readonly LogicalFrom[];
	readonly #groups: Bound[];
	readonly #calls: AggregateCall[] = [];
	readonly #groupColumns: RelationColumn[] = [];
	readonly #callColumns: RelationColumn[] = [];
	readonly #groupRelation: Relation;
	readonly #callRelation: Relation;
	/** Undefined: all keys group. */
	readonly #sets: number[][] | undefined;
	readonly #groupings: number[][] = [];
	readonly #groupingColumns: RelationColumn[] = [];
	readonly #groupingRelation: Relation;
	readonly #having: Bound | undefined;
	readonly #inputSets: SetProjection | undefined;
	#active = false;
	#boundHaving: Bound | undefined;

	constructor(
		binder: Binder,
		scope: Scope,
		from: readonly LogicalFrom[],
		groups: BoundGroups,
		having: Bound | undefined,
		inputSets: SetProjection | undefined,
	) {
		this.#binder = binder;
		this.#scope = scope;
		this.#from = from;
		this.#groups = [];
		this.#groupRelation = new Relation("", undefined, this.#groupColumns);
		this.#callRelation = new Relation("", undefined, this.#callColumns);
		this.#groupingRelation = new Relation("", undefined, this.#groupingColumns);
		for (const group of groups.keys) this.#addGroup(group);
		this.#sets = groups.sets?.map((set) => [...set]);
		this.#having = having;
		this.#inputSets = inputSets;
	}

	/** Projections over the aggregation's rows, or as they are where nothing is aggregated. */
	apply(projections: readonly Bound[]): readonly Bound[] {
		const isAggregate = (node: Bound): boolean =>
			node.kind === "aggregate" || node.kind === "grouping";
		this.#active =
			this.#groups.length > 0 ||
			this.#sets !== undefined ||
			this.#having !== undefined ||
			this.#scope.outerCalls.calls.length > 0 ||
			projections.some((projection) => someNode(projection, isAggregate));
		if (!this.#active) return projections;
		const out = projections.map((projection) => this.#replace(projection));
		if (this.#having !== undefined) this.#boundHaving = this.#replace(this.#having);
		return out;
	}

	result(): Aggregation | undefined {
		if (!this.#active) return undefined;
		return {
			inputSets: this.#inputSets,
			groups: this.#groups,
			sets: this.#sets ?? [this.#groups.map((_, i) => i)],
			groupings: this.#groupings,
			groupingRelation: this.#groupingRelation,
			calls: [...this.#calls, ...this.#scope.outerCalls.calls],
			groupRelation: this.#groupRelation,
			callRelation: this.#callRelation,
			outerCallRelation: this.#scope.outerCalls.relation,
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
		if (bound.kind === "grouping") return this.#grouping(bound);
		if (bound.kind === "column" && this.#scope.relations.includes(bound.relation)) {
			if (this.#dependsOnKey(bound.relation)) {
				const slot = this.#addGroup(bound);
				for (const set of this.#sets ?? []) set.push(slot);
				return columnOf(this.#groupRelation, slot, bound.at);
			}
			const { relation } = bound;
			throw new DatabaseError(
				"42803",
				`column "${relation.name}.${relation.columns[bound.column]?.name ?? "tableoid"}" must appear in the GROUP BY clause or be used in an aggregate function`,
				bound.at >= 0 ? { position: bound.at + 1 } : {},
			);
		}
		return mapArgs(bound, (arg) => this.#replace(arg));
	}

	#call(call: AggregateCall, at: number): Bound {
		for (const arg of call.args.slice(0, call.direct ?? 0)) this.#directArgument(arg);
		let index = this.#calls.findIndex((known) => sameCall(this.#binder, known, call));
		if (index < 0) {
			index = this.#calls.length;
			this.#calls.push(call);
			this.#callColumns.push({ name: call.name, type: call.type, tableOid: 0, attnum: 0 });
		}
		return columnOf(this.#callRelation, index, at);
	}

	/** It is the same for all rows of a group. */
	#directArgument(arg: Bound): void {
		try {
			this.#replace(arg);
		} catch (error) {
			if (!(error instanceof DatabaseError) || error.code !== "42803") throw error;
			throw new DatabaseError(error.code, error.message, {
				...error.fields,
				detail: "Direct arguments of an ordered-set aggregate must use only grouped columns.",
			});
		}
	}

	#grouping(bound: Bound): Bound {
		const slots = bound.args.map((arg) => {
			const slot = this.#groups.findIndex((group) => same(this.#binder, group, arg));
			if (slot >= 0) return slot;
			throw new DatabaseError(
				"42803",
				"arguments to GROUPING must be grouping expressions of the associated query level",
				{ position: beginningOf(arg) + 1 },
			);
		});
		const index = this.#groupings.push(slots) - 1;
		this.#groupingColumns.push({ name: "grouping", type: bound.type, tableOid: 0, attnum: 0 });
		return columnOf(this.#groupingRelation, index, bound.at);
	}

	/** Only keys of all sets fix anything. */
	#isCommon(slot: number): boolean {
		return this.#sets === undefined || this.#sets.every((set) => set.includes(slot));
	}

	#dependsOnKey(relation: Relation): boolean {
		const item = baseTables(this.#from).find((candidate) => candidate.relation === relation);
		const key = item?.table.primary.columns ?? [];
		if (item === undefined || key.length === 0) return false;
		const live = liveColumns(item.table);
		return key.every(({ attnum }) => {
			const slot = live.findIndex((column) => column.attnum === attnum);
			return this.#groups.some(
				(group, i) =>
					group.kind === "column" &&
					group.relation === relation &&
					group.column === slot &&
					this.#isCommon(i),
			);
		});
	}
}
