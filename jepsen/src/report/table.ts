/** Several runs in one table, as the README shows it. */
import type { RunResult } from "../run/run-one.ts";

export function resultTable(results: readonly RunResult[]): string {
	const rows = results.map(({ test, nemesis, judgement, faults, seconds, load }) => {
		const { counts, findings, longestGapSeconds, valid } = judgement;
		const { ok, fail, info } = counts;
		const kinds = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
		const found = [...new Set(findings.map(({ kind }) => kind))].join(", ") || "none";
		return [
			...[test, nemesis, seconds.toFixed(0), ok + fail + info, ok, fail, info],
			...[kinds.join(", "), found, longestGapSeconds.toFixed(1), load.toFixed(1)],
			valid ? "passed" : "NOT PASSED",
		];
	});
	const head = [
		...["test", "nemesis", "s", "operations", "ok", "failed", "unknown"],
		...["faults", "anomalies", "longest gap, s", "load", "result"],
	];
	const line = (cells: readonly unknown[]) => `| ${cells.join(" | ")} |`;
	return [head, head.map(() => "---"), ...rows].map(line).join("\n");
}
