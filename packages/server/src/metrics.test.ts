/** The document says of every metric what the node says of it. */
import { readFileSync } from "node:fs";
import { latencyBounds } from "@quorate/sql/types/statement-report";
import test from "ava";
import { createMetrics, type MeasuredNode } from "./metrics.ts";

const document = new URL("../../../docs/metrics.md", import.meta.url);

const zeros = new Proxy({}, { get: () => 0 });

/** A node that has nothing and has run one statement. */
const node = {
	nodeId: 7,
	engine: { cacheUse: () => ({ usedBytes: 1, sizeBytes: 2 }) },
	host: { statistics: () => zeros },
	store: {
		totals: () => ({ replicas: 0, leases: 0, intents: 0, locks: 0 }),
		splitDecisions: { size: 2 },
	},
	gateway: { statistics: zeros, resolver: zeros },
	server: { connectionCount: 3 },
	sessions: {
		statements: () => ({
			shapes: [],
			histograms: [
				{
					kind: "select",
					counts: latencyBounds.map(() => 1).concat(2),
					failures: 1,
					totalMs: 4_500,
				},
			],
		}),
	},
} as unknown as MeasuredNode;

test("every metric is in docs/metrics.md as the node gives it", async (t) => {
	const all = await createMetrics(node).getMetricsAsJSON();
	const rows = all
		.filter(({ name }) => name.startsWith("quorate_"))
		.map(({ name, help, type }) => `| \`${name}\` | ${type} | ${help} |`)
		.sort();
	const written = readFileSync(document, "utf8").split("\n");
	t.deepEqual(
		written.filter((line) => line.startsWith("| `quorate_")),
		rows,
	);
	for (const { name, type } of all.filter((metric) => metric.name.startsWith("quorate_"))) {
		t.is(/_total$/.test(name), String(type) === "counter", name);
	}
});

test("latencies are a histogram as Prometheus reads it", async (t) => {
	const text = await createMetrics(node).metrics();
	const lines = text
		.split("\n")
		.filter((l) => l.includes("quorate_sql_statement_duration_seconds"));
	t.is(lines[1], "# TYPE quorate_sql_statement_duration_seconds histogram");
	const last = latencyBounds.length;
	t.is(lines.length, last + 5);
	const of = (name: string, labels: string) =>
		`quorate_sql_statement_duration_seconds${name}{${labels}kind="select",node="7"}`;
	t.is(lines[2], `${of("_bucket", 'le="0.0005",')} 1`);
	t.is(lines[last + 2], `${of("_bucket", 'le="+Inf",')} ${last + 2}`);
	t.is(lines[last + 3], `${of("_sum", "")} 4.5`);
	t.is(lines[last + 4], `${of("_count", "")} ${last + 2}`);
	t.true(text.includes('quorate_sql_statement_errors_total{kind="select",node="7"} 1'));
});
