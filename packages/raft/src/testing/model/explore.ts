/**
 * Explores every interleaving of a bounded cluster: each message on its way may arrive next or never, each write reach the disk,
 * each replica stand for election, each leader take a proposal, each replica crash, as far as the bounds allow. In every state
 * that is reached, the five properties of figure 3 of the Raft paper are checked.
 */
import { assert } from "@quorate/keys/assert";
import type { Message, Term } from "../../types.ts";
import { Frontier } from "./frontier.ts";
import {
	type Input,
	type LocalOptions,
	type LocalState,
	LocalStates,
	permutations,
} from "./local-states.ts";
import { SeenStates } from "./seen-states.ts";

export interface Bounds extends LocalOptions {
	/** Nobody stands in a term above it. */
	readonly termMax: Term;
	readonly proposals: number;
	readonly crashes: number;
	/** All three start alike. Then only replica 1 is the first to stand, and what differs only in which replica is which is the same. */
	readonly isSymmetric: boolean;
	readonly statesMax: number;
}

export interface Exploration {
	readonly states: number;
	readonly localStates: number;
	/** The shortest way to a broken property; undefined: none is broken. */
	readonly broken: { readonly property: string; readonly steps: readonly string[] } | undefined;
}

/** A state of the cluster. What is known beside the replicas serves the properties only. */
interface State {
	readonly locals: readonly number[];
	readonly crashes: number;
	readonly proposals: number;
	/** By term: who has led it; 0 for nobody. */
	readonly leaders: readonly number[];
	/** By index: entry that was committed, and term of who knew first. */
	readonly committed: readonly (readonly [entry: number, term: Term])[];
	/** Messages on their way, ascending. */
	readonly packets: readonly number[];
}

interface Action {
	readonly at: number;
	readonly key: string | number;
	readonly input: Input;
}

export class Explorer {
	readonly #bounds: Bounds;
	readonly #locals: LocalStates;
	readonly #seen: SeenStates;
	readonly #frontier = new Frontier();

	constructor(bounds: Bounds) {
		this.#bounds = bounds;
		this.#locals = new LocalStates(bounds);
		this.#seen = new SeenStates(bounds.statesMax);
	}

	/** `onProgress` is called now and then. */
	run(onProgress: (states: number, waiting: number) => void = () => undefined): Exploration {
		this.#add(this.#first(), -1);
		for (let taken = 1; ; taken++) {
			const first = this.#frontier.shift();
			if (first === undefined) return this.#result([], undefined);
			if (taken % 1_000_000 === 0) onProgress(this.#seen.count, this.#frontier.size);
			const state = decode(first.numbers, this.#bounds);
			for (const action of this.#actions(state)) {
				try {
					const next = this.#after(state, action);
					if (next === undefined) continue;
					this.#add(next, first.place);
					if (isMoreOnTheWay(state, next)) break;
				} catch (error) {
					return this.#result(this.#pathTo(first.place, action), (error as Error).message);
				}
			}
		}
	}

	#first(): State {
		const { voters, termMax } = this.#bounds;
		const locals = Array.from({ length: voters }, (_, i) => this.#locals.initial(i + 1));
		const leaders = Array.from({ length: termMax + 1 }, () => 0);
		return { locals, crashes: 0, proposals: 0, leaders, committed: [], packets: [] };
	}

	#result(steps: readonly string[], property: string | undefined): Exploration {
		const broken = property === undefined ? undefined : { property, steps };
		return { states: this.#seen.count, localStates: this.#locals.count, broken };
	}

	#add(state: State, parent: number): void {
		const place = this.#seen.add(this.#encode(state), parent);
		if (place !== undefined) this.#frontier.push(encode(state), place);
	}

	#actions(state: State): Action[] {
		const { termMax, proposals, isSymmetric } = this.#bounds;
		const actions: Action[] = [];
		const isFirst = this.#isBeginning(state);
		state.locals.forEach((number, at) => {
			const { term, isLeader, replica } = this.#locals.state(number);
			const mayStand = !isFirst || !isSymmetric || replica === 1;
			if (!isLeader && term < termMax && mayStand) {
				actions.push({ at, key: "stand", input: { kind: "stand" } });
			}
			if (isLeader && state.proposals < proposals) {
				const text = String.fromCharCode(97 + state.proposals);
				actions.push({ at, key: `propose ${text}`, input: { kind: "propose", text } });
			}
		});
		for (const packet of state.packets) {
			const message = this.#locals.message(packet);
			actions.push({ at: message.to - 1, key: packet, input: { kind: "deliver", message } });
		}
		if (state.crashes < this.#bounds.crashes && !isFirst) this.#addCrashes(state, actions);
		return actions;
	}

	#addCrashes(state: State, actions: Action[]): void {
		const acts = [...actions];
		for (const keeps of [true, false]) {
			state.locals.forEach((_, at) => {
				actions.push({ at, key: `crash ${keeps}`, input: { kind: "crash", keeps } });
			});
			for (const { at, key, input } of acts) {
				const within = { kind: "crash-within", input, keeps } as const;
				actions.push({ at, key: `crash ${keeps} within ${key}`, input: within });
			}
		}
	}

	#isBeginning(state: State): boolean {
		return state.locals.every((number) => this.#locals.state(number).path.length === 0);
	}

	/** Undefined: nothing happens. */
	#after(state: State, { at, key, input }: Action): State | undefined {
		const { next, sent } = this.#locals.step(state.locals[at]!, key, input);
		const locals = [...state.locals];
		locals[at] = next;
		// What was sent once is on its way for ever: it may arrive at any time, any number of times, or never.
		const fresh = sent.filter((packet) => !state.packets.includes(packet));
		if (next === state.locals[at] && fresh.length === 0) return undefined;
		let { packets } = state;
		if (fresh.length > 0) packets = [...packets, ...new Set(fresh)].sort((a, b) => a - b);
		const known = this.#known(state, next);
		if (next !== state.locals[at]) this.#check(locals, at, known.committed);
		const isCrash = input.kind === "crash" || input.kind === "crash-within";
		const crashes = state.crashes + (isCrash ? 1 : 0);
		const mayCrash = crashes < this.#bounds.crashes;
		return {
			locals,
			packets: packets.filter((packet) => this.#canMatter(packet, locals, mayCrash)),
			...known,
			crashes,
			proposals: state.proposals + (proposes(input) ? 1 : 0),
		};
	}

	/**
	 * Terms never fall here, since every step ends on disk. So some messages have had their time, or tell nothing new any more:
	 * without them, states that differ in nothing else are one. A message of an earlier term counts as lost, too: its answer
	 * would tell its sender of the newer term, which that term's own messages do.
	 */
	#canMatter(packet: number, locals: readonly number[], mayCrash: boolean): boolean {
		const message = this.#locals.message(packet);
		const { kind, from, to, term } = message;
		const receiver = this.#locals.state(locals[to - 1]!);
		if (term !== receiver.term) return term > receiver.term;
		const sender = this.#locals.state(locals[from - 1]!);
		switch (kind) {
			case "vote-response":
				return receiver.heard?.includes(from) === false;
			case "append-response":
				if (!receiver.isLeader) return false;
				return message.rejected || message.index >= receiver.matches[from]!;
			case "vote": {
				const isAnswered = sender.term > term || sender.heard?.includes(to) !== false;
				return !isAnswered || (receiver.vote === 0 && receiver.leader === 0);
			}
			case "heartbeat":
				// After a crash it has to be told again.
				return mayCrash || receiver.leader !== from || receiver.commit < message.commit;
			case "append": {
				if (mayCrash || receiver.leader !== from || tellsNews(message, receiver)) return true;
				const answer = Math.max(receiver.commit, message.previousIndex + message.entries.length);
				const isAwaited = sender.term === term && sender.isLeader;
				return isAwaited && answer >= sender.matches[to]!;
			}
			default:
				return true;
		}
	}

	/** What is known of leaders and commits now: election safety, and state machine safety. */
	#known(state: State, next: number): Pick<State, "leaders" | "committed"> {
		const { isLeader, term, replica, commit, log } = this.#locals.state(next);
		let { leaders, committed } = state;
		if (isLeader && leaders[term] !== replica) {
			assert(leaders[term] === 0, () => `election safety: two leaders of term ${term}`);
			leaders = leaders.with(term, replica);
		}
		for (let i = 0; i < Math.min(commit, committed.length); i++) {
			assert(log[i] === committed[i]![0], () => `state machine safety at index ${i + 1}`);
		}
		if (commit > committed.length) {
			const more = log.slice(committed.length, commit).map((entry) => [entry, term] as const);
			committed = [...committed, ...more];
		}
		return { leaders, committed };
	}

	#check(locals: readonly number[], changed: number, committed: State["committed"]): void {
		const states = locals.map((number) => this.#locals.state(number));
		for (const { isLeader, term, log, replica } of states) {
			if (!isLeader) continue;
			committed.forEach(([entry, committedIn], i) => {
				assert(
					committedIn >= term || log[i] === entry,
					() => `leader completeness: ${replica} leads term ${term} without entry ${i + 1}`,
				);
			});
		}
		const mine = states[changed]!;
		for (const other of states) {
			let i = Math.min(mine.log.length, other.log.length) - 1;
			while (i >= 0 && mine.terms[i] !== other.terms[i]) i--;
			for (; i >= 0; i--) {
				assert(mine.log[i] === other.log[i], () => `log matching at index ${i + 1}`);
			}
		}
	}

	#pathTo(place: number, last: Action): string[] {
		const steps: string[] = [];
		let state = this.#first();
		for (const next of this.#seen.pathTo(place).slice(1)) {
			for (const action of this.#actions(state)) {
				const after = this.#after(state, action);
				if (after === undefined || this.#seen.placeOf(this.#encode(after)) !== next) continue;
				steps.push(describe(action));
				state = after;
				break;
			}
		}
		return [...steps, describe(last)];
	}

	/** The same for states that differ in nothing but which replica is which. */
	#encode(state: State): readonly number[] {
		if (!this.#bounds.isSymmetric) return encode(state);
		let least: readonly number[] | undefined;
		let code: readonly number[] | undefined;
		for (let p = 0; p < permutations.length; p++) {
			const locals = this.#permutedLocals(state.locals, p);
			const order = least === undefined ? -1 : compare(locals, least);
			if (order > 0) continue;
			const other = encode({
				...state,
				locals,
				leaders: state.leaders.map((leader) => permutations[p]![leader]!),
				packets: state.packets
					.map((packet) => this.#locals.permutedMessage(packet, p))
					.sort((a, b) => a - b),
			});
			if (order < 0 || compare(other, code!) < 0) [least, code] = [locals, other];
		}
		return code!;
	}

	#permutedLocals(locals: readonly number[], permutation: number): number[] {
		const images: number[] = [];
		const places = permutations[permutation]!;
		for (const [i, local] of locals.entries()) {
			images[places[i + 1]! - 1] = this.#locals.permuted(local, permutation);
		}
		return images;
	}
}

function compare(a: readonly number[], b: readonly number[]): number {
	for (let i = 0; i < a.length; i++) {
		if (a[i] !== b[i]) return a[i]! - b[i]!;
	}
	return 0;
}

/**
 * The one has become the other by nothing but messages that were sent. All that could happen in the one can in the other, where
 * those need not arrive: so whatever else could happen in the one need not be looked at.
 */
const isMoreOnTheWay = (before: State, after: State): boolean =>
	after.packets.length > before.packets.length &&
	before.crashes === after.crashes &&
	before.locals.every((local, i) => local === after.locals[i]);

const proposes = (input: Input): boolean =>
	input.kind === "propose" || (input.kind === "crash-within" && proposes(input.input));

function tellsNews(message: Message & { readonly kind: "append" }, receiver: LocalState): boolean {
	const { previousIndex, previousTerm, entries, commit } = message;
	const known = Math.min(commit, previousIndex + entries.length);
	return (
		receiver.commit < known ||
		(previousIndex > 0 && receiver.terms[previousIndex - 1] !== previousTerm) ||
		entries.some((entry) => receiver.terms[entry.index - 1] !== entry.term)
	);
}

function encode(state: State): number[] {
	const { locals, crashes, proposals, leaders, committed, packets } = state;
	const numbers = [...locals, crashes, proposals, ...leaders, committed.length];
	for (const [entry, term] of committed) numbers.push(entry, term);
	for (const packet of packets) numbers.push(packet);
	return numbers;
}

function decode(packed: Uint16Array, { voters, termMax }: Bounds): State {
	let at = 0;
	const take = (): number => packed[at++]!;
	const many = (count: number): number[] => Array.from({ length: count }, take);
	const locals = many(voters);
	const [crashes, proposals] = [take(), take()];
	const leaders = many(termMax + 1);
	const committed = Array.from({ length: take() }, () => [take(), take()] as const);
	return { locals, crashes, proposals, leaders, committed, packets: many(packed.length - at) };
}

function describe({ at, input }: Action): string {
	if (input.kind !== "deliver") return `${at + 1} ${JSON.stringify(input)}`;
	const { from, to, kind, term, ...rest } = input.message;
	const replacer = (_: string, v: unknown) => (v instanceof Uint8Array ? [...v] : v);
	return `${from}->${to} ${kind} t${term} ${JSON.stringify(rest, replacer)}`;
}
