/**
 * The exclusive lock on a data directory. It must hold for as long as the process lives, however it dies, and
 * never a moment longer: a lock that survives a crash keeps a node from restarting.
 *
 * On Linux it is a listening socket in the abstract namespace, named by the directory's device and inode: the
 * kernel drops it with the process, two paths to one directory are one lock, and there is no stale state to judge.
 * It does not reach across network namespaces (two containers that share a volume); the storage engine's own
 * lock file does. Node has no flock. A child that any thread of the last owner's process is about to start has the
 * socket as well, until it has become another program: who finds the lock taken looks once more when it hears that
 * the other side hung up, which an owner that lives does at once. Elsewhere it is a file with the pid of the owner, taken over when that
 * process is gone: weaker, since a pid can be reused.
 */
import { open, readFile, stat, unlink } from "node:fs/promises";
import { connect, createServer } from "node:net";

export interface DirectoryLock {
	release(): Promise<void>;
}

const isCode = (error: unknown, code: string): boolean =>
	(error as { code?: unknown } | undefined)?.code === code;

/** For an owner that lives and does not answer: it is stopped, or computes. */
const hangUpMs = 1_000;

async function lockBySocket(directory: string): Promise<DirectoryLock | undefined> {
	const { dev, ino } = await stat(directory, { bigint: true });
	const path = `\0quorate-data-${dev}-${ino}`;
	const lock = await listen(path);
	if (lock !== undefined) return lock;
	await hungUp(path);
	return listen(path);
}

function listen(path: string): Promise<DirectoryLock | undefined> {
	const server = createServer((socket) => socket.destroy());
	return new Promise((resolve, reject) => {
		server.once("error", (error) => {
			if (isCode(error, "EADDRINUSE")) resolve(undefined);
			else reject(error);
		});
		server.listen({ path }, () => {
			server.unref();
			resolve({
				release: () => new Promise((done) => void server.close(() => done())),
			});
		});
	});
}

/** Resolves when whoever listens has closed a connection, or nobody listens. */
function hungUp(path: string): Promise<void> {
	return new Promise((resolve) => {
		const socket = connect({ path });
		const timer = setTimeout(() => socket.destroy(), hangUpMs);
		socket.on("error", () => undefined);
		socket.resume();
		socket.once("close", () => {
			clearTimeout(timer);
			resolve();
		});
	});
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return isCode(error, "EPERM");
	}
}

async function lockByFile(directory: string): Promise<DirectoryLock | undefined> {
	const path = `${directory}/process.lock`;
	for (let attempt = 0; attempt < 2; attempt++) {
		try {
			const file = await open(path, "wx");
			await file.write(`${process.pid}\n`);
			await file.close();
			return { release: () => unlink(path) };
		} catch (error) {
			if (!isCode(error, "EEXIST")) throw error;
		}
		const owner = Number.parseInt(await readFile(path, "utf8").catch(() => ""), 10);
		if (Number.isSafeInteger(owner) && isAlive(owner)) return undefined;
		await unlink(path).catch(() => undefined);
	}
	return undefined;
}

export function lockDirectory(directory: string): Promise<DirectoryLock | undefined> {
	return process.platform === "linux" ? lockBySocket(directory) : lockByFile(directory);
}
