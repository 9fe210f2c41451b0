/** The table that is printed: a line a target and run, with its ratio to the others of the same comparison. */
import type { Contender, Line } from "./comparison.ts";

export class Report {
	readonly #print: (line: string) => void;
	#barsMet = 0;
	#barsMissed = 0;

	constructor(print: (line: string) => void) {
		this.#print = print;
	}

	heading(title: string): void {
		this.#print(`\n${title}`);
	}

	/** Something that was left out, or a single reading. */
	remark(text: string): void {
		this.#print(`  ${text}`);
	}

	comparison(lines: readonly Line[]): void {
		const [first] = lines;
		if (first === undefined) {
			return;
		}
		const { workload, mode, clients } = first.contender.run;
		const names = peersOf(lines);
		this.#print(`\n${workload.name}, -M ${mode}, ${clients} clients`);
		this.#print(row("", ["tps", "p50 ms", "p99 ms", ...names.map((name) => `/ ${name}`)], "bar"));
		for (const line of lines) {
			const ratios = names.map((name) => ratio(line, peer(lines, name)));
			const cells = [line.tps.toFixed(0), line.p50Ms.toFixed(2), line.p99Ms.toFixed(2), ...ratios];
			this.#print(row(labelOf(line.contender), cells, this.#verdict(line, lines)));
		}
	}

	/** A number that must stay below a bound. */
	bound(label: string, value: number, boundValue: number, unit: string): void {
		const met = value <= boundValue;
		this.#count(met);
		const shown = value.toFixed(Math.abs(value) < 10 ? 1 : 0);
		this.#print(
			`  ${label.padEnd(labelWidth)} ${shown} ${unit}, bound ${boundValue}: ${met ? "met" : "MISSED"}`,
		);
	}

	finish(): void {
		this.#print(`\n${this.#barsMet} bars met, ${this.#barsMissed} missed`);
	}

	#verdict(line: Line, lines: readonly Line[]): string {
		const notes: string[] = [];
		const { bar } = line.contender;
		const reference = bar === undefined ? undefined : peer(lines, bar.of);
		if (bar !== undefined && reference !== undefined) {
			const met = line.tps >= bar.ratio * reference.tps;
			this.#count(met);
			notes.push(`${bar.ratio} of ${bar.of}: ${met ? "met" : "MISSED"}`);
		}
		if (line.contender.run.workload.fairness === true) {
			notes.push(this.#fairness(line));
		}
		if (line.retried > 0) {
			notes.push(`${line.retried} retried`);
		}
		if (line.failed > 0) {
			notes.push(`${line.failed} FAILED`);
		}
		return notes.join(", ");
	}

	#fairness({ contender, p50Ms, worstMs, worstSyncMs }: Line): string {
		const times = worstMs / p50Ms;
		const sync = `longest sync of this disk ${worstSyncMs.toFixed(0)} ms`;
		const found = `longest wait ${times.toFixed(1)} times the median (${worstMs.toFixed(0)} ms; ${sync})`;
		if (contender.bar === undefined) {
			return found;
		}
		const met = times < worstWaitMax;
		this.#count(met);
		return `${found}, under ${worstWaitMax}: ${met ? "met" : "MISSED"}`;
	}

	#count(met: boolean): void {
		if (met) {
			this.#barsMet++;
		} else {
			this.#barsMissed++;
		}
	}
}

const labelWidth = 30;
/** Of the median: who waits longer than this is starved. */
const worstWaitMax = 20;

function row(label: string, cells: readonly string[], last: string): string {
	const padded = cells.map((cell) => cell.padStart(12)).join("");
	return `  ${label.padEnd(labelWidth)}${padded}  ${last}`.trimEnd();
}

/** The targets that measure themselves on one port only are what others are compared with. */
function peersOf(lines: readonly Line[]): string[] {
	const names = lines
		.filter(({ contender }) => contender.target.ports().length === 1)
		.map(({ contender }) => contender.target.name);
	return [...new Set(names)];
}

function peer(lines: readonly Line[], name: string): Line | undefined {
	return lines.find(({ contender }) => contender.target.name === name);
}

function ratio(line: Line, reference: Line | undefined): string {
	return reference === undefined || reference.tps === 0
		? ""
		: (line.tps / reference.tps).toFixed(2);
}

function labelOf({ target, run }: Contender): string {
	const where = run.placement === "one" ? "one node" : `${target.ports().length} nodes`;
	return target.ports().length === 1 ? target.name : `${target.name}, ${where}`;
}
