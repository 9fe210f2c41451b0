/**
 * One session's side of LISTEN and NOTIFY, as PostgreSQL's (src/backend/commands/async.c): what it asked for in its transaction takes effect when
 * that commits, what it is told waits until it is outside of one.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Timestamp } from "@quorate/keys/timestamp";
import { firstDatabaseOid } from "../catalog/database.ts";
import { invalidParameter } from "../types/errors.ts";
import type { Delivery, Listener, Notification, NotificationHub } from "./notification-hub.ts";

type Action =
	| { readonly kind: "listen" | "unlisten"; readonly channel: string }
	| { readonly kind: "unlisten all" };

/** As in PostgreSQL: a name's length, and a page less what else is on it. */
const channelBytesMax = 63;
const payloadBytesMax = 7_999;
/** Of what a transaction notifies. */
const transactionBytesMax = 16 << 20;
/** Of what waits for the client (N5). */
export const queueBytesMax = 16 << 20;

const costOf = ({ channel, payload }: Notification): number =>
	100 + channel.length + 2 * payload.length;

/** What the session does for its notifications. */
export interface NotifiedSession {
	readonly pid: number;
	/** Object id of its database: a channel belongs to one. */
	readonly database: number;
	/** How many channels it may listen to. */
	channelsMax(): number;
	/** Something came for it. */
	attention(): void;
	terminate(reason: DatabaseError): void;
}

export class SessionNotifications implements Listener {
	readonly #hub: NotificationHub;
	readonly #session: NotifiedSession;
	/** What it listens to, each from above a timestamp on. */
	readonly #channels = new Map<string, Timestamp>();
	/** Told to the hub; also those that listen only if the transaction commits. */
	readonly #registered = new Set<string>();
	#queue: { readonly ts: Timestamp; readonly delivery: Delivery }[] = [];
	#queueBytes = 0;

	// Of the transaction:
	#actions: Action[] = [];
	#notifications: Notification[] = [];
	/** By name and payload: given twice, told once. */
	readonly #given = new Set<string>();
	#givenBytes = 0;

	/** To the hub, the name of a channel begins with this: nobody can say it, since names have no such character. */
	readonly #prefix: string;

	constructor(hub: NotificationHub, session: NotifiedSession) {
		this.#hub = hub;
		this.#session = session;
		const { database } = session;
		this.#prefix = database === firstDatabaseOid ? "" : `${database}\0`;
	}

	notify(name: string, payload: string): void {
		if (name === "") throw invalidParameter("channel name cannot be empty");
		if (Buffer.byteLength(name) > channelBytesMax) {
			throw invalidParameter("channel name too long");
		}
		if (Buffer.byteLength(payload) > payloadBytesMax) {
			throw invalidParameter("payload string too long");
		}
		const channel = this.#prefix + name;
		const both = nameOf({ channel, payload });
		if (this.#given.has(both)) return;
		this.#givenBytes += costOf({ channel, payload });
		if (this.#givenBytes > transactionBytesMax) {
			throw new DatabaseError("54000", "too many notifications in one transaction", {
				detail: `At most ${transactionBytesMax >> 20} MiB of them can be sent at once.`,
			});
		}
		this.#given.add(both);
		this.#notifications.push({ channel, payload });
	}

	/** Throws 54000. */
	ask(action: Action): void {
		const { kind } = action;
		const channelsMax = this.#session.channelsMax();
		const isNew = action.kind === "listen" && !this.#channels.has(this.#prefix + action.channel);
		// What the transaction has asked for counts each time: it is kept to its end.
		const count = this.#actions.length + (isNew ? this.#channels.size : 0);
		if (count >= channelsMax) {
			throw new DatabaseError("54000", "too many channels", {
				detail: `A session may listen to ${channelsMax} (max_channels).`,
				hint: "Use UNLISTEN on those that are not needed any more.",
			});
		}
		this.#actions.push(
			kind === "unlisten all" ? action : { kind, channel: this.#prefix + action.channel },
		);
	}

	/** In the order in which they were taken up. */
	channels(): readonly string[] {
		return [...this.#channels.keys()].map((channel) => this.#bare(channel));
	}

	/** How full the queue is, from 0 to 1. */
	get usage(): number {
		return this.#queueBytes / queueBytesMax;
	}

	/** What the transaction is to notify. */
	get given(): readonly Notification[] {
		return this.#notifications;
	}

	/** Nothing of it awaits the end of the transaction. */
	get isAtRest(): boolean {
		return this.#actions.length === 0 && this.#notifications.length === 0;
	}

	/** Where the transaction is: a savepoint keeps it. */
	mark(): { readonly actions: number; readonly notifications: number } {
		return { actions: this.#actions.length, notifications: this.#notifications.length };
	}

	backTo(mark: { readonly actions: number; readonly notifications: number }): void {
		this.#actions.length = mark.actions;
		for (const gone of this.#notifications.splice(mark.notifications)) {
			this.#given.delete(nameOf(gone));
			this.#givenBytes -= costOf(gone);
		}
	}

	/** Before the commit: the hub begins to tell of the channels that are listened to if it succeeds. */
	async beforeCommit(): Promise<void> {
		for (const action of this.#actions) {
			if (action.kind === "listen" && !this.#registered.has(action.channel)) {
				this.#registered.add(action.channel);
				await this.#hub.listen(action.channel, this);
			}
		}
	}

	/** Listening to anything new: then `committed` needs a timestamp above all that committed before. */
	get willListen(): boolean {
		return this.#actions.some((a) => a.kind === "listen" && !this.#channels.has(a.channel));
	}

	/** The transaction has committed: what it listens to from now on is told above `since`. */
	committed(since: Timestamp): void {
		for (const action of this.#actions) {
			if (action.kind === "unlisten all") this.#channels.clear();
			else if (action.kind === "unlisten") this.#channels.delete(action.channel);
			else if (!this.#channels.has(action.channel)) this.#channels.set(action.channel, since);
		}
		this.#ended();
	}

	rolledBack(): void {
		this.#ended();
	}

	/** Whether one of these comes back to the session itself. */
	hears(notifications: readonly Notification[]): boolean {
		return notifications.some(({ channel }) => this.#channels.has(channel));
	}

	#ended(): void {
		this.#actions = [];
		this.#notifications = [];
		this.#given.clear();
		this.#givenBytes = 0;
		for (const channel of this.#registered) {
			if (!this.#channels.has(channel)) {
				this.#registered.delete(channel);
				this.#hub.unlisten(channel, this);
			}
		}
	}

	received(ts: Timestamp, delivery: Delivery): void {
		const since = this.#channels.get(delivery.channel);
		if (since !== undefined && ts <= since) return;
		this.#queueBytes += costOf(delivery);
		if (this.#queueBytes > queueBytesMax) {
			this.#end("it does not take its notifications", {
				detail: `More than ${queueBytesMax >> 20} MiB of them wait for the session.`,
				hint: "A session that listens must not stay in a transaction, and its client must read.",
			});
			return;
		}
		this.#queue.push({ ts, delivery });
		if (this.#queue.length === 1) this.#session.attention();
	}

	lost(error: DatabaseError): void {
		this.#forget();
		this.#session.terminate(error);
	}

	#end(why: string, fields: { readonly detail: string; readonly hint: string }): void {
		this.#forget();
		this.#session.terminate(
			new DatabaseError("57P01", `terminating connection because ${why}`, {
				severity: "FATAL",
				...fields,
			}),
		);
	}

	/** What the client is to be told now that it is outside of a transaction. */
	take(): readonly Delivery[] {
		const queue = this.#queue;
		if (queue.length === 0) return [];
		this.#queue = [];
		this.#queueBytes = 0;
		return queue
			.filter(({ ts, delivery }) => this.#isDue(ts, delivery))
			.map(({ delivery }) => ({ ...delivery, channel: this.#bare(delivery.channel) }));
	}

	#bare(channel: string): string {
		return channel.slice(this.#prefix.length);
	}

	#isDue(ts: Timestamp, { channel }: Delivery): boolean {
		const since = this.#channels.get(channel);
		return since !== undefined && ts > since;
	}

	#forget(): void {
		for (const channel of this.#registered) this.#hub.unlisten(channel, this);
		this.#registered.clear();
		this.#channels.clear();
		this.#queue = [];
		this.#queueBytes = 0;
	}

	close(): void {
		this.#forget();
		this.#ended();
	}
}

const nameOf = ({ channel, payload }: Notification): string => `${channel}\0${payload}`;
