/** A whole file: each level, mode and layout of the tables, and the transcripts that they give. */
import { SimCluster } from "../cluster/sim-cluster.ts";
import { type Level, parseScenario, type Scenario, separator } from "./scenario-file.ts";
import { runVariant, type Transcript } from "./scenario-run.ts";

export interface SuiteReport {
	/** The file as it should be. */
	readonly text: string;
	/** Anomalies where the file says that they are prevented, and what must never happen to a cluster. */
	readonly problems: readonly string[];
}

const clientMachine = 100;
const variantMs = 600_000;
const seed = 1;

/** Transcripts that are the same, and the variants that gave them. */
interface Group {
	readonly names: string[];
	readonly transcript: Transcript;
}

export async function runSuite(text: string): Promise<SuiteReport> {
	const scenario = parseScenario(text);
	const cluster = new SimCluster(seed, scenario.inChunks ? { limits: { bufferBytes: 1 } } : {});
	const runtime = cluster.world.addMachine(clientMachine).boot();
	await cluster.start();
	const groups = new Map<string, Group>();
	const problems: string[] = [];
	for (const level of scenario.levels) {
		for (const mode of scenario.modes) {
			const run = (isSplit: boolean) =>
				cluster.run(runVariant(cluster, runtime, scenario, { level, mode, isSplit }), variantMs);
			const name = `${level} ${mode}`;
			const whole = await run(false);
			const split = scenario.split.length === 0 ? whole : await run(true);
			const isSame = textOf(whole) === textOf(split);
			add(groups, isSame ? name : `${name} whole`, whole);
			if (!isSame) add(groups, `${name} split`, split);
			problems.push(...forbidden(scenario, level, name, [whole, split]));
		}
	}
	const transcripts = [...groups.values()].map((group) => show(scenario, group));
	return {
		text: `${scenario.head.trimEnd()}\n\n${transcripts.join("\n\n")}\n`,
		problems: [...problems, ...cluster.problems],
	};
}

const textOf = ({ lines, hasAnomaly }: Transcript): string => [hasAnomaly, ...lines].join("\n");

function add(groups: Map<string, Group>, name: string, transcript: Transcript): void {
	const key = textOf(transcript);
	const group = groups.get(key);
	if (group === undefined) groups.set(key, { names: [name], transcript });
	else group.names.push(name);
}

function forbidden(
	scenario: Scenario,
	level: Level,
	name: string,
	transcripts: readonly Transcript[],
): readonly string[] {
	if (!scenario.prevented.includes(level)) return [];
	return transcripts.some((t) => t.hasAnomaly) ? [`the anomaly happens: ${name}`] : [];
}

function show(scenario: Scenario, { names, transcript }: Group): string {
	const verdict = transcript.hasAnomaly ? "happens" : "prevented";
	const title = `${separator} ${names.join(", ")}`;
	const header = scenario.anomalies.length === 0 ? title : `${title}: ${verdict}`;
	return [header, ...transcript.lines].join("\n");
}
