/**
 * The console's page: asks its node every two seconds and shows what it says. Rates are differences of two answers. All text goes in
 * as text, never as markup.
 */
import uPlot from "./chart.js";

const everyMs = 2_000;
const patienceMs = 15_000;
const pageSize = 50;
const pointsMost = 150;

const element = (id) => document.getElementById(id);
const body = (id) => element(id).querySelector("tbody");

let from = 0;
/** The overview before, for rates. */
let before;
const history = { at: [], throughput: [], median: [], worst: [] };

// Showing

function cell(content, className, tag = "td") {
	const made = document.createElement(tag);
	made.append(...(Array.isArray(content) ? content : [content ?? "–"]));
	if (className) made.className = className;
	if (tag === "th") made.scope = "row";
	return made;
}

function row(cells, className) {
	const made = document.createElement("tr");
	made.append(...cells);
	if (className) made.className = className;
	return made;
}

function fill(id, rows, whenEmpty) {
	const columns = element(id).querySelectorAll("thead th").length;
	if (rows.length === 0) {
		const empty = cell(whenEmpty, "empty");
		empty.colSpan = columns;
		rows.push(row([empty]));
	}
	body(id).replaceChildren(...rows);
}

function mark(text, className, label) {
	const made = document.createElement("span");
	made.className = className;
	made.textContent = text;
	if (label !== undefined) {
		made.setAttribute("role", "img");
		made.setAttribute("aria-label", label);
		made.title = label;
	}
	return made;
}

function bytes(value) {
	if (value === null || value === undefined) return "–";
	const units = ["B", "KB", "MB", "GB", "TB"];
	let i = 0;
	let left = value;
	for (; left >= 1000 && i < units.length - 1; i++) left /= 1000;
	return `${left >= 100 || i === 0 ? Math.round(left) : left.toFixed(1)} ${units[i]}`;
}

function duration(ms) {
	if (ms === null || ms === undefined) return "–";
	if (ms < 10) return `${ms.toFixed(2)} ms`;
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
	return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

const number = (value) =>
	value === null || value === undefined
		? "–"
		: value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });

// Nodes

const isDown = ({ state, report }) =>
	state !== "removed" && (state === "dead" || state === "suspect" || report === null);

function state(node) {
	if (node.state === "dead") return mark("down", "bad");
	if (node.state === "removed") return mark("removed", "warm");
	if (node.state === "suspect") return mark("silent", "bad");
	if (node.report === null) return mark(`${node.state}, does not answer`, "bad");
	return mark(node.state, node.state === "live" ? "good" : "warm");
}

const statementsOf = (report) =>
	report.histograms.reduce((sum, h) => sum + h.counts.reduce((a, b) => a + b, 0), 0);

/** Statements since the answer before, of a node that has not begun anew. */
function ratesOf(overview) {
	const seconds = before === undefined ? 0 : (overview.atMs - before.atMs) / 1_000;
	const rates = new Map();
	const counts = overview.latencyBounds.concat(0).map(() => 0);
	if (seconds <= 0) return undefined;
	for (const { nodeId, report } of overview.nodes) {
		const old = before.nodes.find((node) => node.nodeId === nodeId)?.report;
		if (!report || !old || statementsOf(report) < statementsOf(old)) continue;
		rates.set(nodeId, (statementsOf(report) - statementsOf(old)) / seconds);
		report.histograms.forEach(({ kind, counts: now }) => {
			const then = old.histograms.find((h) => h.kind === kind)?.counts ?? [];
			now.forEach((count, i) => {
				counts[i] += count - (then[i] ?? 0);
			});
		});
	}
	return { rates, counts };
}

/** In milliseconds, within its bucket as if all were spread evenly there; null: there were none. */
function quantile(q, counts, bounds) {
	const total = counts.reduce((a, b) => a + b, 0);
	let left = q * total;
	for (let i = 0; total > 0 && i < counts.length; i++) {
		if (left <= counts[i] && counts[i] > 0) {
			const low = bounds[i - 1] ?? 0;
			const high = bounds[i] ?? low;
			return 1_000 * (low + ((high - low) * left) / counts[i]);
		}
		left -= counts[i];
	}
	return null;
}

function showNodes({ nodes }, rates) {
	fill(
		"nodes",
		nodes.map((node) =>
			row(
				[
					cell(`n${node.nodeId}${node.isMember ? " ★" : ""}`, "", "th"),
					cell([
						state(node),
						isDown(node) && node.silentMs > 0 ? ` for ${duration(node.silentMs)}` : "",
					]),
					cell(node.sqlAddress),
					cell(node.locality || "–"),
					cell(node.versions),
					cell(number(node.replicas), "number"),
					cell(number(node.leases), "number"),
					cell(bytes(node.report?.bytes), "number"),
					cell(number(node.report?.requestsPerSecond), "number"),
					cell(number(rates?.get(node.nodeId)), "number"),
					cell(number(node.report?.connections), "number"),
				],
				isDown(node) ? "down" : "",
			),
		),
		"No nodes are known.",
	);
}

function showHealth(overview) {
	const { nodes, isSettled, moveCount, obstacleCount, rangeCount } = overview;
	const down = nodes.filter(isDown).length;
	const health = element("health");
	const what = isSettled ? "settled" : `${moveCount} moves, ${obstacleCount} that cannot be done`;
	health.textContent = down > 0 ? `${down} of ${nodes.length} nodes down, ${what}` : what;
	health.className = down > 0 ? "bad" : isSettled ? "good" : "warm";
	element("cluster").textContent =
		`cluster ${overview.clusterId}, told by n${overview.nodeId}, ${number(rangeCount)} ranges; ★ holds the control plane`;
}

// Charts

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function chart(id, series) {
	const at = element(id);
	const size = () => ({ width: Math.max(200, at.clientWidth), height: 200 });
	const axis = {
		stroke: () => color("--faint"),
		grid: { stroke: () => color("--line"), width: 1 },
	};
	const plot = new uPlot(
		{
			...size(),
			legend: { show: false },
			cursor: { show: false },
			scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
			axes: [axis, { ...axis, size: 60 }],
			series: [{}, ...series],
		},
		[[], ...series.map(() => [])],
		at,
	);
	new ResizeObserver(() => plot.setSize(size())).observe(at);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
	return plot;
}

const throughputChart = chart("throughput-chart", [
	{ stroke: () => color("--accent"), width: 2, spanGaps: false },
]);
const latencyChart = chart("latency-chart", [
	{ stroke: () => color("--accent"), width: 2 },
	{ stroke: () => color("--warm"), width: 2, dash: [6, 4] },
]);

function showLoad({ latencyBounds }, { rates, counts }) {
	const throughput = [...rates.values()].reduce((a, b) => a + b, 0);
	const median = quantile(0.5, counts, latencyBounds);
	const worst = quantile(0.99, counts, latencyBounds);
	for (const [name, value] of Object.entries({
		at: Date.now() / 1_000,
		throughput,
		median,
		worst,
	})) {
		history[name].push(value);
		history[name].splice(0, history[name].length - pointsMost);
	}
	throughputChart.setData([history.at, history.throughput]);
	latencyChart.setData([history.at, history.median, history.worst]);
	element("throughput").textContent = number(throughput);
	element("median").textContent = median === null ? "–" : median.toFixed(1);
	element("worst").textContent = worst === null ? "–" : worst.toFixed(1);
}

// Ranges

const replicaMarks = {
	lease: (nodeId) => mark("●", "cell lease", `leaseholder on node ${nodeId}`),
	voter: (nodeId) => mark("○", "cell voter", `replica on node ${nodeId}`),
	learner: (nodeId) => mark("◌", "cell learner", `learner on node ${nodeId}`),
};

function replicaCell(range, nodeId) {
	const replica = range.replicas.find((r) => r.nodeId === nodeId);
	if (replica === undefined) return cell("", "on");
	const role = range.leaseholder === nodeId ? "lease" : replica.role;
	return cell(replicaMarks[role](nodeId), "on");
}

function measured(value, most, text) {
	if (value === null) return cell("–", "number");
	const meter = document.createElement("meter");
	meter.max = Math.max(most, 1);
	meter.value = value;
	meter.setAttribute("aria-hidden", "true");
	return cell([meter, text], "number");
}

function showRanges({ total, nodes, ranges }) {
	const head = element("ranges").querySelector("thead tr");
	const titles = ["Range", "Table", ...nodes.map((id) => `n${id}`), "Size", "Requests/s", "Moves"];
	head.replaceChildren(
		...titles.map((title, i) => {
			const isNode = i > 1 && i < 2 + nodes.length;
			const isNumber = title === "Size" || title === "Requests/s";
			const made = cell(title, isNode ? "on" : isNumber ? "number" : "", "th");
			made.scope = "col";
			return made;
		}),
	);
	const largest = Math.max(0, ...ranges.map((range) => range.bytes ?? 0));
	const busiest = Math.max(0, ...ranges.map((range) => range.requestsPerSecond ?? 0));
	fill(
		"ranges",
		ranges.map((range) =>
			row([
				cell(String(range.rangeId), "", "th"),
				cell(range.table),
				...nodes.map((nodeId) => replicaCell(range, nodeId)),
				measured(range.bytes, largest, bytes(range.bytes)),
				measured(range.requestsPerSecond, busiest, number(range.requestsPerSecond)),
				cell(range.moving ?? range.obstacle ?? ""),
			]),
		),
		"There are no ranges here.",
	);
	const last = Math.min(total, from + pageSize);
	element("page").textContent =
		total === 0
			? ""
			: `${number(from + 1)} to ${number(last)} of ${number(total)}, in order of keys`;
	element("earlier").disabled = from === 0;
	element("later").disabled = last >= total;
	if (from >= total && total > 0) from = 0;
}

for (const [id, step] of [
	["earlier", -pageSize],
	["later", pageSize],
]) {
	element(id).addEventListener("click", async () => {
		from = Math.max(0, from + step);
		await refreshRanges().catch(() => {});
	});
}

const refreshRanges = async () => showRanges(await ask(`ranges?from=${from}&count=${pageSize}`));

// The rest

function session({ process, user, application, state: doing }) {
	if (process === 0) return "a node's own transaction";
	const who = [user, application].filter(Boolean).join(", ");
	return `${process}${who === "" ? "" : ` (${who})`}${doing ? `, ${doing}` : ""}`;
}

function showWaits({ waits, total, silent }) {
	const rows = waits.map((wait) =>
		row([
			cell(session(wait)),
			cell(duration(wait.waitsMs), "number"),
			cell(`${wait.table === null ? "" : `table ${wait.table}, `}range ${wait.rangeId}`),
			cell(wait.blockers.map(session).join("; ") || "not known"),
		]),
	);
	const missing = silent.length === 0 ? "" : ` Not asked: n${silent.join(", n")}.`;
	if (total > waits.length) rows.push(row([cell(`and ${total - waits.length} more`, "empty")]));
	fill("waits", rows, `Nobody waits for anybody.${missing}`);
}

function showStatements({ statements }) {
	fill(
		"statements",
		statements.map((statement) =>
			row([
				cell(statement.text, "text"),
				cell(number(statement.calls), "number"),
				cell(number(statement.failures), statement.failures > 0 ? "number bad" : "number"),
				cell(duration(statement.totalMs), "number"),
				cell(duration(statement.totalMs / statement.calls), "number"),
				cell(duration(statement.worstMs), "number"),
			]),
		),
		"Nothing has been run yet.",
	);
}

function showMoves({ moves, obstacles }) {
	fill(
		"moves",
		[
			...moves.map((move) => ({ ...move, className: "" })),
			...obstacles.map((move) => ({ ...move, className: "warm" })),
		].map(({ rangeId, table, what, className }) =>
			row([cell(String(rangeId), "", "th"), cell(table), cell(what, className)]),
		),
		"Nothing moves, and nothing has to.",
	);
}

const nodesOf = (ids) => ids.map((id) => `n${id}`).join(", ") || "–";

function showEvents({ events }) {
	fill(
		"events",
		events.map((event) =>
			row([
				cell(new Date(event.atMs).toLocaleTimeString()),
				cell(event.kind),
				cell(event.rangeId === 0 ? "–" : String(event.rangeId)),
				cell(nodesOf(event.from)),
				cell(nodesOf(event.to)),
				cell(event.reason),
				cell(event.outcome),
				cell(duration(event.tookMs), "number"),
				cell(bytes(event.bytes), "number"),
			]),
		),
		"Nothing has been decided yet.",
	);
}

// Asking

async function ask(what) {
	const response = await fetch(`/api/${what}`, { signal: AbortSignal.timeout(patienceMs) });
	if (!response.ok) throw new Error(`${response.status}`);
	return response.json();
}

async function refreshOverview() {
	const overview = await ask("overview");
	if (before !== undefined && overview.atMs === before.atMs) return;
	const load = ratesOf(overview);
	showHealth(overview);
	showNodes(overview, load?.rates);
	showMoves(overview);
	showEvents(overview);
	if (load !== undefined) showLoad(overview, load);
	before = overview;
}

async function refresh() {
	const outcomes = await Promise.allSettled([
		refreshOverview(),
		refreshRanges(),
		ask("waits").then(showWaits),
		ask("statements").then(showStatements),
	]);
	if (outcomes[0].status === "rejected") {
		const health = element("health");
		health.textContent = "This node does not answer: what is shown is old.";
		health.className = "bad";
	}
}

for (;;) {
	if (!document.hidden) await refresh();
	await new Promise((resolve) => setTimeout(resolve, everyMs));
}
