/**
 * Runs the golden scenarios of `testdata/raft`. A file is a row of blocks: comments (#) and commands, a line `----`, and what
 * the commands said, up to an empty line. Commands, nodes being numbers:
 *
 *     cluster N               a group of N voters, born at index 1, term 1
 *     logs N TERM ...         node N starts with entries of these terms (before its first start; the group is born at index 0)
 *     term N TERM             node N has heard of that term (before its first start)
 *     append-bytes N          most bytes of entries in a message, for nodes that start from now on; an empty entry counts 16
 *     node N                  a replica that holds nothing and waits for a snapshot
 *     tick N [COUNT]          time passes for one node; `tick all` for all
 *     deliver [A->B]          what is on its way now arrives, in order; without arguments, all of it
 *     settle                  delivers without telling until nothing is on its way
 *     deliver-last A->B       what was sent last arrives first
 *     copy A->B               what is on its way arrives twice
 *     drop [A->B]             what is on its way is lost
 *     cut A->B | A            messages are lost from now on; `heal` ends all cuts
 *     propose N TEXT, read N, retry-reads N, transfer A B, campaign N, fold N, wake N, unreachable A B, leader-lost N
 *     quiesce N [M ...]       where the nodes M are gone
 *     change N KIND(M) ...    kinds add-voter, add-learner, remove
 *     hold N, sync N, free N  the disk of N stands still; syncs once; is itself again
 *     crash N [KEPT], restart N   unsynced writes are lost; of the state machine, all above KEPT entries
 *     compact N INDEX, status, log, applied
 *
 * Whatever a file says, it fails where two lead in a term, or two machines apply different entries.
 */
import { assert } from "@quorate/keys/assert";
import { replicaId } from "@quorate/keys/ids";
import type { ConfigurationChange, Message, Ready } from "../types.ts";
import { Cluster, emptyConfiguration, entryText, type Node, type Packet } from "./cluster.ts";

export class Scenario {
	#cluster: Cluster;
	#out: string[] = [];
	readonly #roles = new Map<number, string>();
	readonly #cuts = new Set<string>();
	/** Leader of each term, and what was applied at each index. */
	readonly #leaders = new Map<number, number>();
	readonly #applied = new Map<number, string>();
	#reads = 0;

	constructor() {
		this.#cluster = new Cluster({
			random: () => 0,
			inflightMax: 4,
			onReady: (node, ready) => this.#onReady(node, ready),
			onApplied: (node, { index, term, text }) => {
				const first = this.#applied.get(index) ?? `${term} ${text}`;
				assert(first === `${term} ${text}`, `state machine safety at ${index} on ${node.id}`);
				this.#applied.set(index, first);
			},
		});
	}

	run(commands: readonly string[]): string {
		this.#out = [];
		for (const command of commands) {
			const [name = "", ...words] = command.trim().split(/\s+/);
			this.#execute(name, words);
			this.#roleChanges();
		}
		return this.#out.join("\n");
	}

	#execute(name: string, words: readonly string[]): void {
		const cluster = this.#cluster;
		const first = words[0] ?? "";
		const id = Number(first);
		switch (name) {
			case "cluster": {
				const voters = Array.from({ length: id }, (_, i) => replicaId(i + 1));
				for (const voter of voters) cluster.add(voter, { ...emptyConfiguration, voters });
				return;
			}
			case "logs":
				this.#setLog(cluster.node(id), words.slice(1).map(Number));
				return;
			case "append-bytes":
				cluster.appendBytesMax = id;
				return;
			case "node":
				cluster.add(id, emptyConfiguration);
				return;
			case "tick": {
				const ids = first === "all" ? [...cluster.nodes.keys()] : [id];
				for (let i = Number(words[1] ?? 1); i > 0; i--) for (const n of ids) cluster.tick(n);
				return;
			}
			case "deliver":
				this.#deliver(words[0], true);
				return;
			case "settle":
				for (let i = 0; i < 200 && cluster.packets.length > 0; i++) this.#deliver(undefined, false);
				return;
			case "deliver-last": {
				const last = cluster.packets.filter((p) => matches(p, first)).at(-1);
				if (last !== undefined) this.#deliverThese([last], true);
				return;
			}
			case "copy":
				cluster.packets.push(
					...cluster.packets.flatMap((p) => (matches(p, first) ? [{ ...p }] : [])),
				);
				return;
			case "drop":
				cluster.packets = cluster.packets.filter((p) => !matches(p, words[0]));
				return;
			case "cut":
				this.#cut(first);
				return;
			case "heal":
				this.#cuts.clear();
				return;
			default:
				this.#executeOnNode(name, id, words);
				return;
		}
	}

	#executeOnNode(name: string, id: number, words: readonly string[]): void {
		const cluster = this.#cluster;
		const second = words[1] ?? "";
		const other = replicaId(Number(second));
		switch (name) {
			case "propose":
				this.#proposed(cluster.propose(id, second));
				return;
			case "change":
				this.#proposed(cluster.act(id, (g) => g.proposeConfiguration(parseChange(words))));
				return;
			case "read":
				if (cluster.act(id, (g) => g.readIndex(++this.#reads)) !== true) this.#say("refused");
				return;
			case "retry-reads":
				cluster.act(id, (g) => g.retryReads());
				return;
			case "transfer":
				cluster.act(id, (g) => g.transferLeadership(other));
				return;
			case "campaign":
				cluster.act(id, (g) => g.campaign());
				return;
			case "quiesce": {
				const gone = words.map(Number);
				const isQuiet = cluster.act(id, (g) => g.quiesce((member) => gone.includes(member)));
				this.#say(isQuiet === true ? "quiet" : "refused");
				return;
			}
			case "fold":
				cluster.act(id, (g) => g.fold());
				this.#say(this.#cluster.node(id).group?.isFolded === true ? "folded" : "refused");
				return;
			case "wake":
				cluster.act(id, (g) => g.wake());
				return;
			case "leader-lost":
				cluster.act(id, (g) => g.leaderLost());
				return;
			case "unreachable":
				cluster.act(id, (g) => g.unreachable(other));
				return;
			case "compact":
				cluster.compact(id, Number(second));
				return;
			default:
				this.#executeOnDisk(name, id, second);
				return;
		}
	}

	#executeOnDisk(name: string, id: number, second: string): void {
		const cluster = this.#cluster;
		switch (name) {
			case "hold":
				cluster.held.add(id);
				return;
			case "free":
				cluster.held.delete(id);
				while (cluster.sync(id)) {}
				return;
			case "sync":
				if (!cluster.sync(id)) this.#say("nothing to sync");
				return;
			case "crash":
				cluster.crash(id, second === "" ? undefined : Number(second));
				this.#roles.delete(id);
				return;
			case "restart":
				cluster.restart(id);
				return;
			case "term": {
				const node = cluster.node(id);
				node.hardState = { ...node.hardState, term: Number(second) };
				cluster.restart(id);
				return;
			}
			case "status":
				for (const node of cluster.nodes.values()) this.#say(describe(node));
				return;
			case "log":
				for (const node of cluster.nodes.values()) this.#say(`${node.id}: ${logText(node)}`);
				return;
			case "applied":
				for (const node of cluster.nodes.values()) {
					this.#say(`${node.id}: ${node.state.map((a) => a.text).join(" ")}`);
				}
				return;
			default:
				throw new Error(`unknown command ${name}`);
		}
	}

	#say(line: string): void {
		this.#out.push(line);
	}

	#proposed(at: { readonly index: number; readonly term: number } | undefined): void {
		this.#say(at === undefined ? "refused" : `proposed at ${at.index} in term ${at.term}`);
	}

	#onReady(node: Node, ready: Ready): void {
		for (const { requestId, index } of ready.reads) {
			this.#say(`${node.id}: read ${requestId} at ${index}`);
		}
		for (const requestId of ready.readsFailed) this.#say(`${node.id}: read ${requestId} failed`);
		for (const { to } of ready.snapshotsWanted) this.#say(`${node.id}: snapshot for ${to}`);
	}

	#roleChanges(): void {
		for (const node of this.#cluster.nodes.values()) {
			if (node.group === undefined) continue;
			const { role, term, leader, quiesced } = node.group.status();
			if (role === "leader") {
				const first = this.#leaders.get(term) ?? node.id;
				assert(first === node.id, `election safety: ${first} and ${node.id} lead term ${term}`);
				this.#leaders.set(term, node.id);
			}
			const of = role === "follower" && leader !== 0 ? ` of ${leader}` : "";
			const now = `${role}${of} in term ${term}${quiesced ? ", quiet" : ""}`;
			if (this.#roles.get(node.id) !== now) this.#say(`${node.id}: ${now}`);
			this.#roles.set(node.id, now);
		}
	}

	#cut(what: string): void {
		if (what.includes("->")) this.#cuts.add(what);
		else {
			for (const id of this.#cluster.nodes.keys()) {
				this.#cuts.add(`${what}->${id}`).add(`${id}->${what}`);
			}
		}
	}

	#deliver(link: string | undefined, tells: boolean): void {
		const now = this.#cluster.packets.filter((p) => matches(p, link));
		this.#deliverThese(now, tells);
	}

	#deliverThese(now: readonly Packet[], tells: boolean): void {
		const cluster = this.#cluster;
		cluster.packets = cluster.packets.filter((p) => !now.includes(p));
		for (const packet of now) {
			const lost = this.#cuts.has(linkOf(packet));
			if (tells) this.#say(`${packetText(packet)}${lost ? " (lost)" : ""}`);
			if (!lost) cluster.deliver(packet);
			else if (packet.kind === "snapshot-data") cluster.failSnapshot(packet);
		}
	}

	#setLog(node: Node, terms: readonly number[]): void {
		node.birth = { ...node.birth, index: 0, term: 0 };
		node.start = node.birth;
		node.entries = terms.map((term, i) => ({ index: i + 1, term, payload: { kind: "empty" } }));
		node.hardState = { term: terms.at(-1) ?? 0, vote: replicaId(0), commit: 0 };
		this.#cluster.restart(node.id);
	}
}

function parseChange(words: readonly string[]): ConfigurationChange {
	const changes = words.slice(1).map((word) => {
		const [, kind, id] = /^(add-voter|add-learner|remove)\((\d+)\)$/.exec(word) ?? [];
		if (kind === undefined) throw new Error(`not a change: ${word}`);
		return { kind: kind as "remove", replica: replicaId(Number(id)) };
	});
	return { changes, context: new Uint8Array(0) };
}

const linkOf = (packet: Packet): string =>
	packet.kind === "message"
		? `${packet.message.from}->${packet.message.to}`
		: `${packet.from}->${packet.to}`;

const matches = (packet: Packet, link: string | undefined): boolean =>
	link === undefined || linkOf(packet) === link;

function packetText(packet: Packet): string {
	const text =
		packet.kind === "message"
			? messageText(packet.message)
			: `snapshot data at ${packet.metadata.index}/${packet.metadata.term}`;
	return `${linkOf(packet)} ${text}`;
}

/** Positions are written index/term. */
function messageText(m: Message): string {
	const head = `${m.kind} t${m.term}`;
	switch (m.kind) {
		case "pre-vote":
		case "vote":
			return `${head} last ${m.lastIndex}/${m.lastTerm}${m.force ? " force" : ""}`;
		case "pre-vote-response":
		case "vote-response":
			return `${head} ${m.granted ? "granted" : "refused"}`;
		case "append": {
			const entries = m.entries.map((e) => `${e.index}/${e.term} ${entryText(e)}`);
			return `${head} after ${m.previousIndex}/${m.previousTerm} commit ${m.commit} [${entries.join(", ")}]`;
		}
		case "append-response":
			return m.rejected
				? `${head} rejected ${m.index}, hint ${m.hintIndex}/${m.hintTerm}`
				: `${head} has ${m.index}`;
		case "heartbeat":
			return `${head} commit ${m.commit} context ${m.context}${m.quiesce ? " quiesce" : ""}`;
		case "heartbeat-response":
			return `${head} context ${m.context}`;
		case "snapshot":
			return `${head} at ${m.metadata.index}/${m.metadata.term}`;
		case "timeout-now":
			return head;
	}
}

function describe(node: Node): string {
	if (node.group === undefined) return `${node.id}: down`;
	const { role, term, commit, applied, firstIndex, lastIndex, configuration, progress } =
		node.group.status();
	const { voters, outgoing, learners, learnersNext } = configuration;
	const members = [
		`voters ${voters.join(",")}`,
		outgoing.length > 0 ? `outgoing ${outgoing.join(",")}` : "",
		learners.length > 0 ? `learners ${learners.join(",")}` : "",
		learnersNext.length > 0 ? `becoming learners ${learnersNext.join(",")}` : "",
	].filter((s) => s !== "");
	const followers = progress.map((p) => ` ${p.replica}:${p.state}@${p.match}`).join("");
	return (
		`${node.id}: ${role} t${term} log ${firstIndex}..${lastIndex} commit ${commit} applied ${applied} ` +
		`${members.join(" ")}${followers === "" ? "" : ` |${followers}`}`
	);
}

function logText(node: Node): string {
	if (node.group === undefined) return "down";
	const { firstIndex, lastIndex } = node.group.status();
	const entries: string[] = [];
	for (let index = firstIndex; index <= lastIndex; index++) {
		const entry = node.group.entry(index)!;
		entries.push(`${index}/${entry.term} ${entryText(entry)}`);
	}
	return entries.join(", ");
}
