/**
 * EXPLAIN (FORMAT JSON): the operators under PostgreSQL's names, for programs that read plans. Costs are left out: plans are not
 * chosen by any. "Plan Rows" is the guess that they are chosen by.
 */
import type { PlanNode } from "../execute/plan-node.ts";

/** What an operator did, by the operator. */
export type PlanStatistics = ReadonlyMap<
	object,
	{ readonly rows: number; readonly loops: number; readonly ms: number }
>;

export interface ExplainedPlan {
	readonly root: PlanNode;
	readonly verbose: boolean;
	/** Whether estimates are shown. */
	readonly costs: boolean;
	readonly planningMs: number;
	/** Labels and types by their names, in what the operators say. */
	shown(text: string): string;
	/** Undefined: it was not run. */
	readonly run: { readonly statistics: PlanStatistics; readonly ms: number } | undefined;
}

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

const milliseconds = (ms: number): number => Number(ms.toFixed(3));

export function explainedJson(plan: ExplainedPlan): string {
	const { root, planningMs, run } = plan;
	const explained = {
		Plan: nodeJson(root, plan),
		...(run === undefined
			? {}
			: {
					"Planning Time": milliseconds(planningMs),
					Triggers: [],
					"Execution Time": milliseconds(run.ms),
				}),
	};
	return JSON.stringify([explained], undefined, 2);
}

/** Conditions and columns are a matter of the node that they are above of, as PostgreSQL's are. */
function nodeJson(node: PlanNode, plan: ExplainedPlan): { readonly [name: string]: Json } {
	const { verbose, costs, run } = plan;
	const details = Object.fromEntries(node.details.map((detail) => detailOf(plan.shown(detail))));
	const [child] = node.children;
	if (child !== undefined && isFolded(node)) {
		const { Plans: plans, ...rest } = nodeJson(child, plan);
		return {
			...rest,
			...estimateJson(node, costs),
			...(run === undefined ? {} : measuredJson(node, run.statistics)),
			...(node.label === "Filter" ? { Filter: details["Condition"] ?? "" } : {}),
			...(node.label === "Project" && verbose ? details : {}),
			...(plans === undefined ? {} : { Plans: plans }),
		};
	}
	const { Schema: schema, ...facts } = node.facts ?? {};
	return {
		"Node Type": node.label,
		...facts,
		...(verbose && schema !== undefined ? { Schema: schema } : {}),
		"Parallel Aware": false,
		"Async Capable": false,
		...estimateJson(node, costs),
		...(run === undefined ? {} : measuredJson(node, run.statistics)),
		...details,
		...(node.children.length === 0
			? {}
			: { Plans: node.children.map((one) => nodeJson(one, plan)) }),
	};
}

/** A scan, a join or the like has at most one condition of its own above it. */
const isFolded = ({ label, children }: PlanNode): boolean =>
	label === "Project" || (label === "Filter" && children[0]?.label !== "Filter");

const estimateJson = (node: PlanNode, costs: boolean): Readonly<Record<string, Json>> =>
	costs ? { "Plan Rows": Math.max(1, Math.round(node.estimate)) } : {};

/** Of "Filter: (a > 1)". */
function detailOf(detail: string): readonly [string, string] {
	const end = detail.indexOf(": ");
	return end < 0 ? ["Detail", detail] : [detail.slice(0, end), detail.slice(end + 2)];
}

/** As PostgreSQL's, times and rows are those of one loop. */
function measuredJson(node: PlanNode, statistics: PlanStatistics): Readonly<Record<string, Json>> {
	const { rows, loops, ms } = statistics.get(node) ?? { rows: 0, loops: 0, ms: 0 };
	const once = Math.max(1, loops);
	return {
		"Actual Startup Time": 0,
		"Actual Total Time": milliseconds(ms / once),
		"Actual Rows": Math.round(rows / once),
		"Actual Loops": loops,
	};
}
