/** The port for clients: chosen once, the same after each restart, since clients hold the connection string. */
import { parseAddress } from "@quorate/runtime/address";
import type { Connection, Listener, Network, Scheduler } from "@quorate/runtime/runtime";
import { ClusterError } from "./cluster-error.ts";
import { NodePort } from "./node-port.ts";
import { host, listenIfFree, type PortBlock } from "./port-block.ts";

const reopenAttemptsMax = 40;
const reopenPauseMs = 50;

export class SqlPort extends NodePort {
	/** host:port, also while it is closed. */
	readonly fixedAddress: string;

	private constructor(fixedAddress: string, listen: ConstructorParameters<typeof NodePort>[0]) {
		super(listen);
		this.fixedAddress = fixedAddress;
	}

	/** `port`: that one; undefined: any of the block. */
	static async choose(
		network: Network,
		scheduler: Scheduler,
		block: PortBlock,
		port: number | undefined,
	): Promise<SqlPort> {
		const probe = await (port === undefined
			? block.listen((connection) => connection.destroy())
			: listenIfFree(network, port, (connection) => connection.destroy()));
		if (probe === undefined) {
			throw new ClusterError(
				`port ${port} is taken by another program: choose another \`port\`, or leave it out for a free one`,
			);
		}
		await probe.close();
		const { address } = probe;
		const chosen = new SqlPort(address, (accept) =>
			listenAgain(network, scheduler, address, accept),
		);
		await chosen.open();
		return chosen;
	}
}

/** Whatever has the port now is given two seconds to let go of it. */
async function listenAgain(
	network: Network,
	scheduler: Scheduler,
	address: string,
	accept: (connection: Connection) => void,
): Promise<Listener> {
	const { port } = parseAddress(address)!;
	for (let attempt = 0; attempt < reopenAttemptsMax; attempt++) {
		const listener = await listenIfFree(network, port, accept);
		if (listener !== undefined) return listener;
		await new Promise<void>((resolve) => {
			scheduler.setTimer(reopenPauseMs, resolve);
		});
	}
	throw new ClusterError(
		`port ${port} of ${host} was taken by another program while its node was down; stop that one and restart the node`,
	);
}
