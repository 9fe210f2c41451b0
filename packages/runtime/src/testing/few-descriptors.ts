/**
 * A process that has few descriptors, which strangers take all: an echo server goes on for those who are there, serves others once there
 * is room again, and its event loop does not turn without end meanwhile. Prints what it has seen, as JSON.
 */
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { RealNetwork } from "../real-network.ts";

/** Turns of the event loop so far. */
const turns = (): number =>
	(performance.nodeTiming as unknown as { uvMetricsInfo: { loopCount: number } }).uvMetricsInfo
		.loopCount;

const echoes = 200;
const strangersMax = 200;

const listener = await new RealNetwork().listen("127.0.0.1:0", (connection) => {
	connection.onData((bytes) => connection.write(bytes));
	connection.onClose(() => {});
});
const port = Number(listener.address.split(":").at(-1));

/** Undefined: refused or cut off at once, or no descriptor is left at this end. */
function dial(): Promise<Socket | undefined> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		socket.once("error", () => resolve(undefined));
		socket.once("close", () => resolve(undefined));
		socket.write("?");
		socket.once("data", () => resolve(socket));
	});
}

function echo(socket: Socket): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once("data", () => resolve());
		socket.once("close", reject);
		socket.write("!");
	});
}

const early = await dial();
const strangers: Socket[] = [];
let refused = 0;
while (refused < 20 && strangers.length < strangersMax) {
	const socket = await dial();
	if (socket === undefined) refused++;
	else strangers.push(socket);
}
const before = turns();
for (let i = 0; i < echoes; i++) await echo(early!);
const turned = turns() - before;
for (const socket of strangers) socket.destroy();
let late: Socket | undefined;
for (let attempt = 0; late === undefined && attempt < 1000; attempt++) late = await dial();
if (late !== undefined) await echo(late);
const isServed = late !== undefined;
console.log(JSON.stringify({ strangers: strangers.length, refused, echoes, turned, isServed }));
process.exit(0);
