/**
 * The seam between Quorate and the world.
 *
 * Everything that a node learns from outside, or does to the outside, goes through the interfaces on
 * this page: time, timers, randomness, network, disk. They are passed in. Two implementations exist:
 * the real one (`real-*.ts` beside this file) and the simulated one (`packages/sim`), under which a whole
 * cluster runs in one process from one seed. Nothing but the real implementation touches `Date`,
 * `setTimeout`, `Math.random`, `node:net` or `node:fs`; a lint rule refuses them elsewhere.
 *
 * May import: nothing of the project.
 */

/** Handle of a timer or a deferred task. */
export interface Timer {
	/** Stops it if it has not fired. Idempotent. */
	cancel(): void;
}

export interface Clock {
	/** Milliseconds since an arbitrary start; never goes back. Its rate may be wrong. */
	monotonicMs(): number;
	/** Milliseconds since 1970-01-01 UTC. May jump either way at any time. Never decides anything. */
	wallMs(): number;
}

/**
 * The parts of a tick, in their order: what there is to do; then what gathers of it (a pass over Raft groups); then what has gathered
 * for others leaves. So what a request causes on this node leaves it within one turn of the event loop, in as few pieces as it would after several.
 */
export const tickParts = ["work", "gather", "send"] as const;
export type TickPart = (typeof tickParts)[number];

export interface Scheduler {
	/** Runs `task` once after at least `delayMs` of monotonic time. */
	setTimer(delayMs: number, task: () => void): Timer;
	/**
	 * Runs `task` once after the current event-loop turn: the "tick" of the design. Tasks of a part (default `work`) run in order of the
	 * calls; what one of them defers to a later part runs in that part of the same tick, anything else in the next.
	 */
	defer(task: () => void, part?: TickPart): void;
	/** Resolves after the pending I/O had a turn: how a long computation yields. */
	yield(): Promise<void>;
}

export interface Random {
	/** In [0, 1). Jitter and sampling; never a secret. */
	float(): number;
	/** `count` bytes from a cryptographic source (in simulation: from the seed). */
	bytes(count: number): Uint8Array;
}

/** One ordered stream of messages to a peer, as TCP gives: whole prefix or reset, never reordered inside. */
export interface Connection {
	readonly remoteAddress: string;
	/** Queues bytes. Returns false when the queue is above the high-water mark: wait for `onDrain`. */
	write(bytes: Uint8Array): boolean;
	/** Bytes queued in this process and not yet handed to the peer's kernel. */
	readonly bufferedBytes: number;
	onData(listener: (bytes: Uint8Array) => void): void;
	onDrain(listener: () => void): void;
	/** Called once, with the reason if it was not orderly. */
	onClose(listener: (error?: Error) => void): void;
	/** Stops and resumes the reading side: backpressure to the peer. */
	pause(): void;
	resume(): void;
	/** Sends what is queued, then closes. */
	end(): void;
	/** Closes at once; what is queued is lost. */
	destroy(): void;
	/**
	 * Goes on under TLS, as its server; nothing may have come in that was not handed out. Rejects where the handshake fails. Absent
	 * where there is no TLS (simulation).
	 */
	startTls?(acceptor: TlsAcceptor): Promise<TlsPeer>;
	/** Of a connection between nodes under TLS: whether the peer's certificate is one of that host. Absent: there is none. */
	certifies?(host: string): boolean;
	/** Likewise: the SHA-256 of the peer's certificate. */
	readonly certificate?: string;
}

/** All in PEM. */
export interface TlsCredentials {
	/** With those between it and the authority, if any. */
	readonly certificate: string;
	readonly key: string;
	/** Who certifies peers; undefined: their certificates are not asked for. */
	readonly authorities: string | undefined;
}

/** Whom a certificate is of. */
export interface CertificateSubject {
	/** Undefined: none, or several. */
	readonly commonName: string | undefined;
	/** As RFC 2253 writes it, the last part first: CN=ann,OU=staff. Undefined: none, or one with parts that have no names. */
	readonly distinguishedName: string | undefined;
}

export interface TlsPeer {
	/** Of the certificate that the peer has shown, if an authority vouches for it. */
	readonly subject: CertificateSubject | undefined;
	/** "TLSv1.3" and the like. */
	readonly protocol: string;
}

/** The server's side of TLS. */
export interface TlsAcceptor {
	/** For what begins from now on. Throws, and changes nothing, where the credentials are none. */
	update(credentials: TlsCredentials): void;
	/** What the channel binding tls-server-end-point is made of (RFC 5929): the hash of the certificate. */
	readonly endpointHash: Uint8Array;
}

export interface Listener {
	/** host:port really bound (port 0 asks for a free one). */
	readonly address: string;
	close(): Promise<void>;
}

/** What hosts are called. */
export interface HostNames {
	/** The first, if there are several. Rejects where there is none, or nobody says so within seconds. */
	nameOf(address: string): Promise<string>;
	/** Those of that version of IP. Rejects likewise. */
	addressesOf(name: string, version: 4 | 6): Promise<readonly string[]>;
}

export interface Network {
	/** Rejects with code EADDRINUSE in `error.code` when taken. `address` is host:port. */
	listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener>;
	/** Resolves when connected; rejects on refusal or after `timeoutMs`. */
	connect(address: string, timeoutMs: number): Promise<Connection>;
	/** Of this machine, each with the width of its net: 10.1.2.3/8. Absent where there are none (simulation). */
	localNetworks?(): readonly string[];
	/** Absent where hosts have no names (simulation). */
	readonly hostNames?: HostNames;
	/** Throws where the credentials are none. Absent where there is no TLS (simulation). */
	tlsAcceptor?(credentials: TlsCredentials): TlsAcceptor;
	/**
	 * The same with TLS at both ends, each showing a certificate of `authorities`; to connect, it has to be one of the host that is
	 * dialled. Absent where there is no TLS.
	 */
	secured?(credentials: TlsCredentials): SecuredNetwork;
}

export interface SecuredNetwork extends Network {
	/** For connections that begin from now on. Throws, and changes nothing, where the credentials are none. */
	update(credentials: TlsCredentials): void;
	/** The SHA-256 of the certificate that this end shows. */
	readonly certificate: string;
}

/** A file opened for appending or random access. All promises reject with an `Error` that has `code` (ENOSPC, EIO ...). */
export interface DiskFile {
	/** Writes all of `bytes` at `offset`. Not durable before `sync`, unless by `openDurable`. */
	write(bytes: Uint8Array, offset: number): Promise<void>;
	/** Reads up to `length` bytes from `offset`; shorter only at the end of the file. */
	read(offset: number, length: number): Promise<Uint8Array>;
	/** fdatasync. After a rejection the caller must stop the node: the page cache cannot be trusted. */
	sync(): Promise<void>;
	truncate(size: number): Promise<void>;
	size(): Promise<number>;
	close(): Promise<void>;
}

export interface DiskSpace {
	/** What this process may still use. */
	readonly freeBytes: number;
	readonly sizeBytes: number;
}

/** The directory tree of one node. Paths are relative to its root, with `/`. */
export interface Disk {
	/** Absolute path of the root, for libraries that open files themselves; undefined where there is none (simulation). */
	readonly root: string | undefined;
	open(path: string, mode: "create" | "existing"): Promise<DiskFile>;
	/** A file whose writes resolve once they, and what is needed to read them back, are on disk; they fail as `sync` does. */
	openDurable(path: string, mode: "create" | "existing"): Promise<DiskFile>;
	/** Names in a directory, sorted; [] where it does not exist. */
	list(directory: string): Promise<string[]>;
	/** With those above it where they are missing. Their names are durable when it resolves. */
	makeDirectory(path: string): Promise<void>;
	remove(path: string): Promise<void>;
	/** Replaces `path` by `bytes` so that a crash leaves the old or the new content (write, sync, rename, sync directory). */
	replace(path: string, bytes: Uint8Array): Promise<void>;
	/** Whole content, or undefined where there is no such file. */
	readWhole(path: string): Promise<Uint8Array | undefined>;
	/** The path without symbolic links, as far as it exists. Absent where there are none (memory, simulation). */
	realPath?(path: string): Promise<string>;
	/** Makes creations, renames and removals in a directory durable. */
	syncDirectory(path: string): Promise<void>;
	/** Of the file system that holds the root; undefined where there is no such thing. */
	space(): Promise<DiskSpace | undefined>;
	/** An exclusive lock on the directory held until the process ends or `release`; undefined if another holds it. */
	lock(path: string): Promise<{ release(): Promise<void> } | undefined>;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Logger {
	log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
	/** A logger that adds `fields` to each line. */
	child(fields: Readonly<Record<string, unknown>>): Logger;
}

export interface Runtime {
	readonly clock: Clock;
	readonly scheduler: Scheduler;
	readonly random: Random;
	readonly network: Network;
	/** The node's data directory. */
	readonly disk: Disk;
	/** All files of the machine, by paths relative to "/": for what an operator names by an absolute path, as a backup's directory. */
	readonly files: Disk;
	readonly logger: Logger;
	/**
	 * Stops the node for good because going on would be unsafe (failed fsync, broken invariant). In production
	 * the process exits with the reason; in simulation the node crashes. Never returns to the caller's code path.
	 */
	fatal(reason: string): never;
}
