/** The page of a run: what was done, what was found, latency and throughput with the faults behind them, and cycles drawn. */
import type { Operation } from "@quorate/checker/operations";
import type { Judgement } from "../run/judge.ts";
import type { Finding, Workload } from "../workloads/workload.ts";
import { cycleDrawing } from "./cycles.ts";
import {
	type Band,
	colourOf,
	escaped,
	latencyPlot,
	type Point,
	statusColours,
	throughputPlot,
} from "./plots.ts";

export interface PageOptions {
	readonly workload: Workload;
	readonly results: {
		readonly test: string;
		readonly nemesis: string;
		readonly seconds: number;
		readonly network: string;
		readonly faults: Readonly<Record<string, number>>;
		readonly workload: Readonly<Record<string, number>>;
		readonly codes: Readonly<Record<string, number>>;
		readonly options: {
			readonly nodes: number;
			readonly concurrency: number;
			readonly seed: number;
		};
	};
	readonly judgement: Judgement;
	readonly history: readonly Operation[];
}

const nanoseconds = 1e9;
const findingsMax = 40;
const drawnMax = 8;

const style = `
body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; max-width: 1080px; margin: 24px auto; padding: 0 16px; color: #1d2126; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 28px 0 8px; }
.verdict { display: inline-block; padding: 2px 10px; border-radius: 4px; color: #fff; font-weight: 600; }
.about { color: #555; margin: 0 0 12px; }
table { border-collapse: collapse; } td { padding: 2px 14px 2px 0; vertical-align: top; } td:first-child { color: #555; }
svg { width: 100%; height: auto; display: block; margin: 12px 0; } svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #333; }
svg .title { font-weight: 600; font-size: 13px; } svg .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 11px; }
svg .grid { stroke: #00000018; } svg .axis { stroke: #333; } svg .box { fill: #fff; stroke: #333; }
svg .edge { font-weight: 600; paint-order: stroke; stroke: #fff; stroke-width: 4px; }
.legend span { display: inline-block; margin-right: 16px; } .legend i { display: inline-block; width: 12px; height: 12px; margin-right: 5px; border-radius: 2px; vertical-align: -1px; }
pre { background: #f4f4f2; padding: 10px 12px; overflow-x: auto; font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
`;

export function page(options: PageOptions): string {
	const { workload, results, judgement, history } = options;
	const title = `${results.test} with ${results.nemesis}`;
	const bands = bandsOf(history);
	const end = (history.at(-1)?.time ?? 0) / nanoseconds;
	const colour = judgement.valid ? statusColours.ok : statusColours.info;
	const word = judgement.valid ? "passed" : "not passed";
	return [
		`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><style>${style}</style></head><body>`,
		`<h1>${escaped(title)} <span class="verdict" style="background:${colour}">${word}</span></h1>`,
		`<p class="about">${escaped(workload.about)}</p>`,
		factsTable(options),
		findingsSection(judgement.findings),
		"<h2>Over time</h2>",
		legend(bands),
		latencyPlot(pointsOf(history), bands, end),
		throughputPlot(judgement.availability.buckets, bands, end),
		gaps(judgement),
		'<h2>Files</h2><p><a href="history.jsonl">history.jsonl</a>, <a href="history.edn">history.edn</a>, <a href="results.json">results.json</a>, and the logs of the nodes beside them.</p>',
		"</body></html>\n",
	].join("\n");
}

function factsTable({ results, judgement }: PageOptions): string {
	const { ok, fail, info } = judgement.counts;
	const show = (numbers: Readonly<Record<string, number>>) =>
		Object.entries(numbers)
			.map(([name, count]) => `${name} ${count}`)
			.join(", ") || "none";
	const latency = judgement.availability.latency;
	const ms = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
	const { nodes, concurrency, seed } = results.options;
	const rows: readonly (readonly [string, string])[] = [
		["cluster", `${nodes} nodes, ${concurrency} clients, ${results.network}, seed ${seed}`],
		["operations", `${ok} ok, ${fail} failed, ${info} unknown, in ${results.seconds.toFixed(0)} s`],
		["judged", show(results.workload)],
		["errors", show(results.codes)],
		["faults", show(results.faults)],
		["longest gap", `${judgement.longestGapSeconds.toFixed(1)} s without a success`],
		[
			"latency of successes",
			latency === undefined
				? "none"
				: `median ${ms(latency.p50)}, 95 % ${ms(latency.p95)}, 99 % ${ms(latency.p99)}, most ${ms(latency.max)}`,
		],
	];
	const cells = rows.map(([name, text]) => `<tr><td>${name}</td><td>${escaped(text)}</td></tr>`);
	return `<table>${cells.join("")}</table>`;
}

function findingsSection(findings: readonly Finding[]): string {
	if (findings.length === 0) return "<h2>Anomalies</h2><p>None was found.</p>";
	const shown = findings.slice(0, findingsMax).map((finding, i) => {
		const { kind, explanation, transactions = [] } = finding;
		const text = [...transactions.map(([id, ops]) => `T${id} = ${ops}`), ...explanation];
		const drawing = i < drawnMax ? cycleDrawing(finding) : "";
		return `<h3>${escaped(kind)}</h3>${drawing}<pre>${escaped(text.join("\n"))}</pre>`;
	});
	const more = findings.length - shown.length;
	const rest = more > 0 ? `<p>and ${more} more: see results.json</p>` : "";
	return `<h2>Anomalies: ${findings.length}</h2>${shown.join("")}${rest}`;
}

function legend(bands: readonly Band[]): string {
	const item = (colour: string, name: string) =>
		`<span><i style="background:${colour}"></i>${escaped(name)}</span>`;
	const statuses = [
		item(statusColours.ok, "ok"),
		item(statusColours.fail, "failed"),
		item(statusColours.info, "unknown"),
	];
	const kinds = [...new Set(bands.map(({ kind }) => kind))];
	const faults = kinds.map((kind) => item(colourOf(kind, bands), kind));
	return `<p class="legend">${[...statuses, ...faults].join("")}</p>`;
}

function gaps({ availability }: Judgement): string {
	if (availability.unavailable.length === 0) return "";
	const texts = availability.unavailable.map(
		({ from, to }) => `${from.toFixed(1)} to ${to.toFixed(1)} s (${(to - from).toFixed(1)} s)`,
	);
	return `<p>Nothing succeeded from ${texts.join(", ")}.</p>`;
}

function pointsOf(history: readonly Operation[]): readonly Point[] {
	const points: Point[] = [];
	// Of what is not known, the time is that at which the client gave up.
	const open = new Map<number | string, number>();
	for (const { process, type, time } of history) {
		if (process === "nemesis") continue;
		if (type === "invoke") open.set(process, time);
		else {
			const begun = open.get(process) ?? time;
			const latency = (time - begun) / nanoseconds;
			points.push({ at: time / nanoseconds, latency, status: type });
		}
	}
	return points;
}

function bandsOf(history: readonly Operation[]): readonly Band[] {
	const open = new Map<string, number>();
	const bands: Band[] = [];
	// What a fault is made of takes a while before it is there as a whole.
	let injected = 0;
	for (const { process, f, time } of history) {
		if (process !== "nemesis") continue;
		const at = time / nanoseconds;
		if (f === "inject") injected = at;
		const [, what, kind] = /^(start|stop)-(.*)$/.exec(f) ?? [];
		if (what === "start") open.set(kind!, injected);
		const from = kind === undefined ? undefined : open.get(kind);
		if (what === "stop" && from !== undefined) {
			open.delete(kind!);
			bands.push({ kind: kind!, from, to: at });
		}
	}
	const end = (history.at(-1)?.time ?? 0) / nanoseconds;
	for (const [kind, from] of open) bands.push({ kind, from, to: end });
	return bands;
}
