/**
 * The operator's HTTP port: `/health`, `/metrics` (Prometheus text), and the console: a page at `/`, which asks for what it shows at
 * `/api/`. Read-only; loopback like every listener, and `admin-guard.ts` keeps other pages out.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import type { PgServer } from "@quorate/pgwire/pg-server";
import type { PlacementClient } from "@quorate/placement/types";
import type { RaftHost } from "@quorate/replica/host-types";
import type { RangeStore } from "@quorate/replica/store";
import { isLoopbackHost, parseAddress } from "@quorate/runtime/address";
import type { Connection, Runtime } from "@quorate/runtime/runtime";
import type { NodeSessions } from "@quorate/sql/session/factory";
import type { Engine } from "@quorate/storage/engine";
import type { Gateway } from "@quorate/txn/gateway";
import { answerHeaders, refusalOf } from "./admin-guard.ts";
import type { ConsoleData } from "./console-data.ts";
import type { DiskRoom } from "./disk-room.ts";
import { createMetrics } from "./metrics.ts";
import type { RangeRenewal } from "./range-renewal.ts";

export interface AdminOptions {
	readonly runtime: Runtime;
	readonly address: string;
	readonly nodeId: NodeId;
	readonly host: RaftHost;
	readonly engine: Engine;
	readonly store: RangeStore;
	readonly gateway: Gateway;
	readonly server: PgServer;
	readonly placement: PlacementClient;
	readonly renewal: RangeRenewal | undefined;
	readonly room: DiskRoom;
	readonly sessions: NodeSessions;
	readonly console: ConsoleData;
	/** Undefined: there is no page, only what it would ask for. */
	readonly consoleFiles: ConsoleFiles | undefined;
}

/** The page and what it loads, by path. */
export type ConsoleFiles = ReadonlyMap<string, { readonly type: string; readonly body: string }>;

export interface AdminServer {
	readonly address: string;
	close(): Promise<void>;
}

/** A browser has six; and whoever asks for metrics. */
const connectionsMax = 64;

export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
	if (!isLoopbackHost(parseAddress(options.address)?.host ?? "")) {
		throw new DatabaseError("0A000", `cannot serve the operator on ${options.address}`, {
			detail: "Nobody is asked who they are there, so only loopback addresses are served.",
			hint: "Use 127.0.0.1, and a tunnel from elsewhere.",
		});
	}
	const metrics = createMetrics(options);
	const http = createServer((request, response) => {
		handle(options, metrics, request, response).catch((error) => {
			if (!response.headersSent) {
				response.writeHead(500, { "content-type": "text/plain" });
			}
			response.end(`${String(error)}\n`);
		});
	});
	const open = new Set<Connection>();
	const listener = await options.runtime.network.listen(options.address, (connection) => {
		if (open.size >= connectionsMax) {
			connection.destroy();
			return;
		}
		open.add(connection);
		const stream = asStream(connection, () => open.delete(connection));
		http.emit("connection", stream);
	});
	return {
		address: listener.address,
		close: async () => {
			for (const connection of open) {
				connection.destroy();
			}
			await listener.close();
		},
	};
}

async function handle(
	options: AdminOptions,
	metrics: ReturnType<typeof createMetrics>,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const [path = "", query] = (request.url ?? "").split("?");
	for (const [name, value] of Object.entries(answerHeaders)) {
		response.setHeader(name, value);
	}
	const refusal = refusalOf(request.headers, path);
	const file = options.consoleFiles?.get(path);
	if (request.method !== "GET") {
		response.writeHead(405, { allow: "GET" });
		response.end();
	} else if (refusal !== undefined) {
		response.writeHead(403, { "content-type": "text/plain" });
		response.end(`${refusal}\n`);
	} else if (file !== undefined) {
		response.writeHead(200, { "content-type": file.type });
		response.end(file.body);
	} else if (path.startsWith("/api/")) {
		await answerConsole(options.console, path, new URLSearchParams(query), response);
	} else if (path === "/health") {
		const { replicas, leases } = options.store.totals();
		response.writeHead(200, { "content-type": "application/json" });
		response.end(
			`${JSON.stringify({
				status: options.room.isFull ? "disk full" : "ok",
				node: options.nodeId,
				ranges: replicas,
				leases,
				// Of a node that was rebuilt: ranges that are still to be copied here. Null where they are not known.
				...(options.renewal === undefined
					? {}
					: { renewing: options.renewal.left ?? null, member: options.renewal.isMember }),
			})}\n`,
		);
	} else if (path === "/metrics") {
		const text = await metrics.metrics();
		response.writeHead(200, { "content-type": metrics.contentType });
		response.end(text);
	} else {
		response.writeHead(404, { "content-type": "text/plain" });
		response.end("There are /, /health and /metrics.\n");
	}
}

async function answerConsole(
	data: ConsoleData,
	path: string,
	query: URLSearchParams,
	response: ServerResponse,
): Promise<void> {
	const found = await consoleAnswer(data, path, query);
	const status = found === undefined ? 404 : 200;
	response.writeHead(status, { "content-type": "application/json" });
	response.end(`${JSON.stringify(found ?? { error: "there is no such thing" })}\n`);
}

/** Undefined: there is no such thing. */
async function consoleAnswer(
	data: ConsoleData,
	path: string,
	query: URLSearchParams,
): Promise<object | undefined> {
	switch (path) {
		case "/api/overview":
			return data.overview();
		case "/api/ranges":
			return data.ranges(count(query.get("from"), 0), count(query.get("count"), rangesDefault));
		case "/api/waits":
			return data.waits();
		case "/api/statements":
			return data.statements();
		default:
			return undefined;
	}
}

const rangesDefault = 50;
const count = (text: string | null, otherwise: number): number =>
	text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;

/** A connection of the runtime as the stream that node:http works on. */
function asStream(connection: Connection, onClose: () => void): Duplex {
	const stream = new Duplex({
		read: () => connection.resume(),
		write: (chunk: Uint8Array, _encoding, done) => {
			connection.write(Uint8Array.from(chunk));
			done();
		},
		final: (done) => {
			connection.end();
			done();
		},
		destroy: (error, done) => {
			connection.destroy();
			done(error);
		},
	});
	connection.onData((bytes) => {
		if (!stream.push(bytes)) {
			connection.pause();
		}
	});
	// A connection has one listener.
	connection.onClose(() => {
		onClose();
		stream.push(null);
	});
	return stream;
}
