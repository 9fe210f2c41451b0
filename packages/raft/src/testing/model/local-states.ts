/**
 * The states of single replicas, for a model checker. A replica is deterministic: what an input makes of a state, and what it
 * sends, is found out once, by the real core, its disk and its machine, and remembered. States are equal if the dumps of their
 * groups and their disks are, so the exploration of a cluster moves numbers only.
 */
import { assert } from "@quorate/keys/assert";
import { replicaId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import type { Message, Term } from "../../types.ts";
import { Cluster, emptyConfiguration, entryText, type Node } from "../cluster.ts";

export type Input =
	| { readonly kind: "deliver"; readonly message: Message }
	/** Stands for election at once: what timers and pre-votes would let it do or not. */
	| { readonly kind: "stand" }
	| { readonly kind: "propose"; readonly text: string }
	/** Starts again at once. The machine, which is not synced, has kept all it applied, or nothing. */
	| { readonly kind: "crash"; readonly keeps: boolean }
	/** Does the one, sends what need not wait for the disk, and crashes before its write is there. */
	| { readonly kind: "crash-within"; readonly input: Input; readonly keeps: boolean };

export interface LocalState {
	readonly replica: number;
	/** How it came about: what it is rebuilt from. */
	readonly path: readonly Input[];
	readonly isLeader: boolean;
	readonly term: Term;
	/** Entries from index 1, as numbers. */
	readonly log: readonly number[];
	readonly terms: readonly Term[];
	readonly commit: number;
	/** Leader of the term, as far as known, and who has its vote; 0 for nobody. */
	readonly leader: number;
	readonly vote: number;
	/** Replicas from which a candidate has its answer; undefined for others. */
	readonly heard: readonly number[] | undefined;
	/** On a leader: by replica, what it knows to be there. */
	readonly matches: readonly number[];
}

export interface Transition {
	readonly next: number;
	/** Numbers of the messages sent. */
	readonly sent: readonly number[];
}

export interface LocalOptions {
	readonly voters: number;
	/** Terms of the entries that each replica starts with. */
	readonly logs: readonly (readonly Term[])[];
	readonly mutations?: Mutations;
}

/** Where each of three replicas goes, by its id. */
type Places = readonly [0, number, number, number];

/** The first leaves them where they are. */
export const permutations: readonly Places[] = [
	[0, 1, 2, 3],
	[0, 1, 3, 2],
	[0, 2, 1, 3],
	[0, 2, 3, 1],
	[0, 3, 1, 2],
	[0, 3, 2, 1],
];

/** Numbers what is equal by its text. */
class Numbering<T> {
	readonly items: T[] = [];
	readonly #numbers = new Map<string, number>();

	of(key: string, make: () => T): number {
		let number = this.#numbers.get(key);
		if (number === undefined) {
			number = this.items.length;
			assert(number < 1 << 16, "numbers are packed into 16 bits");
			this.#numbers.set(key, number);
			this.items.push(make());
		}
		return number;
	}
}

export class LocalStates {
	readonly #options: LocalOptions;
	readonly #states = new Numbering<LocalState>();
	readonly #messages = new Numbering<Message>();
	readonly #entries = new Numbering<string>();
	readonly #transitions: Map<string | number, Transition>[] = [];
	readonly #numbers = new WeakMap<Message, number>();
	/** By permutation. */
	readonly #permuted: number[][] = permutations.map(() => []);
	readonly #permutedMessages: number[][] = permutations.map(() => []);
	/** The latest replica built, by its state: mostly the next input comes to that. */
	readonly #live = new Map<number, Cluster>();

	constructor(options: LocalOptions) {
		this.#options = options;
	}

	get count(): number {
		return this.#states.items.length;
	}

	state(number: number): LocalState {
		return this.#states.items[number]!;
	}

	message(number: number): Message {
		return this.#messages.items[number]!;
	}

	initial(replica: number): number {
		return this.#intern(this.#build(replica, []), replica, []);
	}

	/** The same with the replicas in each other's places: a number of `permutations`. They must start alike. */
	permuted(number: number, permutation: number): number {
		const known = this.#permuted[permutation]!;
		let image = known[number];
		if (image === undefined) {
			const { replica, path } = this.state(number);
			const places = permutations[permutation]!;
			image = this.initial(places[replica]!);
			for (const input of path) image = this.#step(image, permutedInput(input, places)).next;
			known[number] = image;
		}
		return image;
	}

	permutedMessage(number: number, permutation: number): number {
		const known = this.#permutedMessages[permutation]!;
		let image = known[number];
		if (image === undefined) {
			image = this.#number(permutedMessage(this.message(number), permutations[permutation]!));
			known[number] = image;
		}
		return image;
	}

	#number(message: Message): number {
		const known = this.#numbers.get(message);
		if (known !== undefined) return known;
		const inOrder = Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1));
		const number = this.#messages.of(textOf(inOrder), () => message);
		this.#numbers.set(message, number);
		return number;
	}

	#step(state: number, input: Input): Transition {
		return this.step(state, this.keyOf(input), input);
	}

	/** What an input is known by: a message by its number. */
	keyOf(input: Input): string | number {
		switch (input.kind) {
			case "deliver":
				return this.#number(input.message);
			case "stand":
				return "stand";
			case "propose":
				return `propose ${input.text}`;
			case "crash":
				return `crash ${input.keeps}`;
			case "crash-within":
				return `crash ${input.keeps} within ${this.keyOf(input.input)}`;
		}
	}

	step(state: number, key: string | number, input: Input): Transition {
		this.#transitions[state] ??= new Map();
		let transition = this.#transitions[state].get(key);
		if (transition === undefined) {
			transition = this.#run(state, input);
			this.#transitions[state].set(key, transition);
		}
		return transition;
	}

	#run(number: number, input: Input): Transition {
		const { replica, path, isLeader, term, log } = this.state(number);
		const cluster = this.#live.get(number) ?? this.#build(replica, path);
		this.#live.delete(number);
		perform(cluster, replica, input);
		const sent: number[] = [];
		for (const packet of cluster.packets.splice(0)) {
			// Who is behind the beginning of a log stays behind.
			if (packet.kind !== "message") continue;
			sent.push(this.#number(packet.message));
		}
		const next = this.#intern(cluster, replica, [...path, input]);
		const after = this.state(next);
		if (isLeader && after.isLeader && after.term === term) {
			assert(
				log.every((entry, i) => after.log[i] === entry),
				"leader append-only: a leader has changed its log",
			);
		}
		return { next, sent };
	}

	#build(replica: number, path: readonly Input[]): Cluster {
		const { voters, logs, mutations } = this.#options;
		const cluster = new Cluster({
			random: () => 0,
			appendBytesMax: 16,
			inflightMax: 1,
			...(mutations === undefined ? {} : { mutations }),
		});
		cluster.autoSync = false;
		cluster.birthIndex = 0;
		const ids = Array.from({ length: voters }, (_, i) => replicaId(i + 1));
		const node = cluster.add(replica, { ...emptyConfiguration, voters: ids });
		const terms = logs[replica - 1] ?? [];
		node.entries = terms.map((term, i) => ({ index: i + 1, term, payload: { kind: "empty" } }));
		// All of them have heard of the latest term.
		const term = Math.max(0, ...logs.flat());
		node.hardState = { term, vote: replicaId(0), commit: 0 };
		cluster.restart(replica);
		for (const input of path) perform(cluster, replica, input);
		cluster.packets = [];
		return cluster;
	}

	#intern(cluster: Cluster, replica: number, path: readonly Input[]): number {
		const node = cluster.node(replica);
		const group = node.group!;
		const { hardState, entries, state, stateDurable } = node;
		assert(node.writes.length === 0, "between steps everything is on disk");
		const applied = state.map((a) => [a.term, a.text]);
		const whole = [replica, group.dump(), hardState, entries, applied, stateDurable];
		const number = this.#states.of(textOf(whole), () => this.#describe(node, path));
		this.#live.set(number, cluster);
		return number;
	}

	#describe(node: Node, path: readonly Input[]): LocalState {
		const group = node.group!;
		const { role, term, leader, commit, lastIndex, firstIndex, progress } = group.status();
		const log: number[] = [];
		const terms: Term[] = [];
		// A machine that kept more than its log did: the log begins after it.
		for (const { term: entryTerm, text } of node.state.slice(0, firstIndex - 1)) {
			terms.push(entryTerm);
			log.push(this.#entry(entryTerm, text));
		}
		for (let index = firstIndex; index <= lastIndex; index++) {
			const entry = group.entry(index)!;
			terms.push(entry.term);
			log.push(this.#entry(entry.term, entryText(entry)));
		}
		const { votes } = group.dump() as { readonly votes: readonly (readonly [number, boolean])[] };
		const heard = role === "candidate" ? votes.map(([voter]) => voter) : undefined;
		const isLeader = role === "leader";
		const { vote } = node.hardState;
		const matches: number[] = [];
		for (const { replica, match } of progress) matches[replica] = match;
		const known = { term, leader, vote, commit, log, terms, heard, matches };
		return { replica: node.id, path, isLeader, ...known };
	}

	#entry(term: Term, text: string): number {
		return this.#entries.of(`${term} ${text}`, () => `${term} ${text}`);
	}
}

function perform(cluster: Cluster, replica: number, input: Input): void {
	switch (input.kind) {
		case "crash":
			crash(cluster, replica, input.keeps);
			return;
		case "crash-within":
			act(cluster, replica, input.input);
			crash(cluster, replica, input.keeps);
			return;
		default:
			act(cluster, replica, input);
			while (cluster.sync(replica)) {}
			// Said as soon as it is known: messages take as long as they like anyway.
			cluster.act(replica, (group) => group.announceCommit());
	}
}

function act(cluster: Cluster, replica: number, input: Input): void {
	const to = replicaId(replica);
	switch (input.kind) {
		case "deliver":
			cluster.act(replica, (group) => group.step(input.message));
			return;
		case "stand":
			cluster.act(replica, (group) =>
				group.step({ kind: "timeout-now", from: to, to, term: group.term }),
			);
			return;
		case "propose":
			cluster.propose(replica, input.text);
			return;
		default:
			assert(false, "a crash is not an act");
	}
}

function crash(cluster: Cluster, replica: number, keeps: boolean): void {
	cluster.crash(replica, keeps ? undefined : cluster.node(replica).stateDurable);
	cluster.restart(replica);
}

function permutedMessage(message: Message, places: Places): Message {
	const [from, to] = [replicaId(places[message.from]!), replicaId(places[message.to]!)];
	return { ...message, from, to };
}

function permutedInput(input: Input, places: Places): Input {
	switch (input.kind) {
		case "deliver":
			return { ...input, message: permutedMessage(input.message, places) };
		case "crash-within":
			return { ...input, input: permutedInput(input.input, places) };
		default:
			return input;
	}
}

const textOf = (value: unknown): string =>
	JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? [...v] : v));
