/** A window stage to its operator. */
import {
	type CompiledFrame,
	type CompiledWindowCall,
	Window,
} from "../execute/operators/window.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { show } from "./show.ts";
import { type WindowBound, type WindowStage, windowParts } from "./window.ts";

export function planWindow(
	{ partition, order, calls, relation }: WindowStage,
	input: PlanNode,
	parent: CompileScope,
): PlanNode {
	const level = parent.inner(input.layout);
	const keys = [
		...partition.map((expression) => ({ expression, descending: false, nullsFirst: false })),
		...order,
	];
	const sort = keys.map(({ expression, descending, nullsFirst }, i) => ({
		slot: input.layout.width + i,
		type: expression.type,
		descending,
		nullsFirst,
	}));
	const shown = [
		...(partition.length === 0 ? [] : [`Partition By: ${partition.map(show).join(", ")}`]),
		...(order.length === 0
			? []
			: [`Order By: ${order.map((key) => show(key.expression)).join(", ")}`]),
	];
	return new Window(
		input,
		keys.map(({ expression }) => compile(expression, level)),
		{ partition: sort.slice(0, partition.length), order: sort.slice(partition.length) },
		calls.map((call) => compileCall(call, level)),
		relation,
		shown,
	);
}

function compileCall(call: WindowBound, level: CompileScope): CompiledWindowCall {
	const { args, filter, startOffset, endOffset } = windowParts(call);
	const frame: CompiledFrame = {
		...call.frame,
		startOffset: startOffset && compile(startOffset, level),
		endOffset: endOffset && compile(endOffset, level),
	};
	return {
		fn: call.fn,
		args: args.map((arg) => compile(arg, level)),
		argTypes: call.argTypes,
		filter: filter && compile(filter, level),
		frame,
	};
}
