/** A state machine for tests: a list of texts, of which the first `durable` survive a crash. */
import { type NodeId, nodeId, type ReplicaId } from "@quorate/keys/ids";
import type { LogIndex, SnapshotMetadata } from "@quorate/raft/types";
import type { CommittedEntry, GroupMachine } from "../../host-types.ts";

export interface Applied {
	readonly metadata: SnapshotMetadata;
	readonly text: string;
}

export class ListMachine implements GroupMachine {
	readonly birth: SnapshotMetadata;
	list: Applied[];
	leadership: { isLeader: boolean; leader: ReplicaId } = { isLeader: false, leader: 0 as never };
	/** Called inside `apply`. */
	onApply: (text: string) => void = () => undefined;
	/** Entries that one `apply` takes. */
	applyMax = Number.POSITIVE_INFINITY;
	refusal: string | undefined;
	snapshotsOpened = 0;
	/** Called for each chunk that comes in, with how many came before. */
	onChunk: (count: number) => void = () => undefined;

	constructor(birth: SnapshotMetadata, list: readonly Applied[] = []) {
		this.birth = birth;
		this.list = [...list];
	}

	get applied(): SnapshotMetadata {
		return this.list.at(-1)?.metadata ?? this.birth;
	}

	/** What was applied and is not bookkeeping of Raft. */
	get texts(): string[] {
		return this.list.map((a) => a.text).filter((text) => text !== "");
	}

	appliedBytes = 0;
	/** What applying it counts. */
	bytesOf: (text: string) => number = (text) => text.length;

	apply(entries: readonly CommittedEntry[]): number {
		let count = 0;
		for (const entry of entries.slice(0, this.applyMax)) {
			count++;
			if (entry.index !== this.applied.index + 1) throw new Error(`gap at ${entry.index}`);
			const { index, term } = entry;
			const configuration = entry.configuration ?? this.applied.configuration;
			const text = entry.command === undefined ? "" : Buffer.from(entry.command).toString();
			this.appliedBytes = this.bytesOf(text);
			this.list.push({ metadata: { index, term, configuration }, text });
			this.onApply(text);
		}
		return count;
	}

	leadershipChanged({ isLeader, leader }: { isLeader: boolean; leader: ReplicaId }): void {
		this.leadership = { isLeader, leader };
	}

	appliedIndex(): LogIndex {
		return this.applied.index;
	}

	openSnapshot() {
		this.snapshotsOpened++;
		const list = [...this.list];
		async function* chunks() {
			for (let i = 0; i < list.length; i += 100) {
				yield Buffer.from(JSON.stringify(list.slice(i, i + 100)));
			}
		}
		return { metadata: this.applied, chunks: chunks(), close: () => undefined };
	}

	async installSnapshot(_metadata: SnapshotMetadata, chunks: AsyncIterable<Uint8Array>) {
		const list: Applied[] = [];
		let count = 0;
		for await (const chunk of chunks) {
			list.push(...JSON.parse(Buffer.from(chunk).toString()));
			this.onChunk(count++);
		}
		if (this.refusal !== undefined) throw new Error(this.refusal);
		this.list = list;
	}

	/** Replica 10 * n + x is on node n. */
	nodeOf(replica: ReplicaId): NodeId | undefined {
		const { voters, outgoing, learners } = this.applied.configuration;
		const isMember = [...voters, ...outgoing, ...learners].includes(replica);
		return isMember ? nodeId(Math.floor(replica / 10)) : undefined;
	}
}
