/** A program of its own: what a cluster leaves open would keep it from ending. */
import { once } from "node:events";
import { connect } from "node:net";
import { Cluster } from "../cluster.ts";

{
	await using cluster = await Cluster.start({ nodes: 3 });
	const socket = connect(Number(new URL(cluster.connectionString).port), "127.0.0.1");
	await once(socket, "connect");
	socket.on("error", () => undefined);
	cluster.partition([0]);
	await cluster.nodes[1]!.kill();
}
const open = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Immediate/.test(name));
console.log(`stopped, open: ${JSON.stringify(open)}`);
process.once("exit", () => console.log("exit"));
