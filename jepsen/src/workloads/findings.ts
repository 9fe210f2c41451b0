/** What the checkers of transactions say, in the form that results and pages show. */
import type { Anomaly } from "@quorate/checker/isolation";
import type { Finding } from "./workload.ts";

interface Shown {
	readonly id: number;
	readonly ops: readonly (readonly unknown[])[];
}

export function findingsOf(
	anomalies: readonly Anomaly[],
	history: readonly Shown[],
): readonly Finding[] {
	const byId = new Map(anomalies.length === 0 ? [] : history.map((t) => [t.id, t]));
	return anomalies.map(({ kind, explanation, steps = [] }) => {
		const ids = [...new Set(steps.map((s) => s.from))];
		const transactions = ids.map(
			(id) => [id, (byId.get(id)?.ops ?? []).map(show).join(", ")] as const,
		);
		return { kind, explanation, steps, transactions };
	});
}

const show = (op: readonly unknown[]): string => op.map(showValue).join(" ");

const showValue = (value: unknown): string =>
	Array.isArray(value) ? `[${value.map(showValue).join(" ")}]` : String(value ?? "nothing");
