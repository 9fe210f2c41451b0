/** The format of `testdata/transactions`: see the README there. Throws `Error` with the line that it does not understand. */

export const levels = ["serializable", "repeatable read", "read committed"] as const;
export const modes = ["pessimistic", "optimistic"] as const;

export type Level = (typeof levels)[number];
export type Mode = (typeof modes)[number];

export type Step =
	| {
			readonly kind: "statement";
			readonly session: string;
			readonly sql: string;
			/** What conditions call its outcome. */
			readonly label: string | undefined;
	  }
	/** Virtual time goes on until the session has nothing under way. */
	| { readonly kind: "until"; readonly session: string }
	| { readonly kind: "pass"; readonly ms: number }
	| { readonly kind: "close"; readonly session: string }
	| { readonly kind: "cancel"; readonly session: string };

/** All of them hold: the anomaly has happened. */
export type Anomaly = readonly { readonly label: string; readonly outcome: string }[];

export interface Scenario {
	/** Everything before the transcripts, as it stands. */
	readonly head: string;
	readonly transcripts: string;
	readonly setup: readonly string[];
	/** Cuts the tables into ranges, in the second run of each variant. */
	readonly split: readonly string[];
	readonly levels: readonly Level[];
	readonly modes: readonly Mode[];
	/** Levels at which the anomaly must not happen, whatever the transcripts say. */
	readonly prevented: readonly Level[];
	readonly anomalies: readonly Anomaly[];
	/** Errors are shown with message, detail and hint. */
	readonly fullErrors: boolean;
	/** What a statement has written is sent at once, as by large transactions. */
	readonly inChunks: boolean;
	readonly steps: readonly { readonly text: string; readonly step: Step }[];
}

export const separator = "----";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000 };

interface Building {
	setup: string[];
	split: string[];
	levels: readonly Level[];
	modes: readonly Mode[];
	prevented: readonly Level[];
	anomalies: Anomaly[];
	fullErrors: boolean;
	inChunks: boolean;
	steps: { text: string; step: Step }[];
}

export function parseScenario(text: string): Scenario {
	const at = text.search(new RegExp(`^${separator}`, "m"));
	const head = at < 0 ? text : text.slice(0, at);
	const building: Building = {
		setup: [],
		split: [],
		levels,
		modes,
		prevented: [],
		anomalies: [],
		fullErrors: false,
		inChunks: false,
		steps: [],
	};
	for (const line of head.split("\n")) {
		if (line.trim() !== "" && !line.startsWith("#")) parseLine(building, line);
	}
	return { ...building, head, transcripts: at < 0 ? "" : text.slice(at) };
}

function parseLine(building: Building, line: string): void {
	const statement = /^(\w+)(?:\[(\w+)\])?: (.*)$/.exec(line);
	if (statement !== null) {
		const [, session = "", label, sql = ""] = statement;
		building.steps.push({ text: line, step: { kind: "statement", session, label, sql } });
		return;
	}
	const [word = ""] = line.split(" ", 1);
	const rest = line.slice(word.length + 1);
	if (!setDirective(building, word, rest)) {
		const step = parseStep(word, rest);
		if (step === undefined) throw new Error(`not understood: ${line}`);
		building.steps.push({ text: line, step });
	}
}

function parseStep(word: string, rest: string): Step | undefined {
	switch (word) {
		case "until":
		case "close":
		case "cancel":
			return { kind: word, session: rest };
		case "pass": {
			const [, count, unit = ""] = /^(\d+) ?(ms|s)$/.exec(rest) ?? [];
			if (count === undefined) throw new Error(`not a time: ${rest}`);
			return { kind: "pass", ms: Number(count) * units[unit]! };
		}
		default:
			return undefined;
	}
}

function setDirective(building: Building, word: string, rest: string): boolean {
	switch (word) {
		case "setup":
			building.setup.push(rest);
			return true;
		case "split":
			building.split.push(rest);
			return true;
		case "levels":
			building.levels = someOf(levels, rest);
			return true;
		case "modes":
			building.modes = someOf(modes, rest);
			return true;
		case "prevented":
			building.prevented = someOf(levels, rest);
			return true;
		case "anomaly":
			building.anomalies.push(rest.split(" and ").map(parseCondition));
			return true;
		case "errors":
			if (rest !== "full") throw new Error(`errors ${rest}`);
			building.fullErrors = true;
			return true;
		case "chunks":
			building.inChunks = true;
			return true;
		default:
			return false;
	}
}

function parseCondition(text: string): Anomaly[number] {
	const [, label, outcome] = /^\s*(\w+) = (.*?)\s*$/.exec(text) ?? [];
	if (label === undefined || outcome === undefined) throw new Error(`not a condition: ${text}`);
	return { label, outcome };
}

function someOf<T extends string>(known: readonly T[], list: string): readonly T[] {
	return list.split(/, */).map((name) => {
		const found = known.find((one) => one === name);
		if (found === undefined) throw new Error(`none of ${known.join(", ")}: ${name}`);
		return found;
	});
}
