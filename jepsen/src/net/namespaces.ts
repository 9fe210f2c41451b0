/**
 * Nodes in network namespaces of their own, joined by veth pairs and a bridge in a namespace for the run itself.
 *
 * 1. All names begin with a prefix and the pid of the run. Those of runs that are gone are removed when the next one begins.
 * 2. Nothing outside of these namespaces is touched: the bridge is in one, too, and no address of the machine is used.
 * 3. Nodes serve loopback addresses only, as long as clients cannot prove who they are. So the addresses are of 127.77.0.0/24, which
 *    with `route_localnet` go over the bridge here: it is each namespace's own idea of loopback that is another, not the nodes'.
 * 4. A link is cut by a wrong neighbour: packets go to a hardware address that nobody has. Nothing is refused, nothing is reset.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { isRunning } from "quorate/process-identity";
import { allLinks, type Link, type Network, type NodePlace } from "./network.ts";

const prefix = "qjep-";
const directory = "/run/netns";
const ports = { sqlPort: 7431, peerPort: 7441, adminPort: 7451 };
/** Of the veth's end in a node's namespace. */
const device = "eth0";
const nobody = "02:00:00:00:00:99";

const host = (node: number): string => `127.77.0.${node + 1}`;
const controlName = (owner: number): string => `${prefix}${owner}-ctl`;
const nodeName = (owner: number, node: number): string => `${prefix}${owner}-n${node + 1}`;
export const enter = (name: string): readonly string[] => ["nsenter", `--net=${directory}/${name}`];

/** Why there cannot be namespaces here; undefined where there can. */
export function namespacesImpossible(): string | undefined {
	if (process.getuid?.() !== 0) return "only root can make network namespaces";
	for (const program of ["ip", "nsenter", "sysctl"]) {
		if (spawnSync(program, ["--version"]).error !== undefined) return `${program} is not installed`;
	}
	const name = `${prefix}${process.pid}-try`;
	const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
	spawnSync("ip", ["netns", "del", name]);
	return made.status === 0 ? undefined : made.stderr.trim();
}

/** Makes the namespaces of this process. Resolves with the control's name: in it the run itself goes on. */
export function makeNamespaces(nodeCount: number): string {
	removeLeftBehind();
	const owner = process.pid;
	const control = controlName(owner);
	ip("netns", "add", control);
	const inControl = (...args: readonly string[]) => run(...enter(control), ...args);
	routeLoopback(control);
	inControl("ip", "link", "add", "br0", "type", "bridge");
	inControl("ip", "addr", "add", "127.77.0.254/24", "dev", "br0");
	inControl("ip", "link", "set", "br0", "up");
	for (let node = 0; node < nodeCount; node++) {
		const name = nodeName(owner, node);
		const inNode = (...args: readonly string[]) => run(...enter(name), ...args);
		ip("netns", "add", name);
		routeLoopback(name);
		const port = `v${node + 1}`;
		inControl("ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns", name);
		inControl("ip", "link", "set", port, "master", "br0", "up");
		inNode("ip", "addr", "add", `${host(node)}/24`, "dev", device);
		inNode("ip", "link", "set", device, "up");
		// For what a node says to its own address; without lo's own 127.0.0.0/8.
		inNode("ip", "link", "set", "lo", "up");
		inNode("ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
	}
	return control;
}

/** Also those of earlier runs whose process is gone. */
export function removeNamespaces(): void {
	remove((owner) => owner === process.pid || !isRunning(owner));
}

const removeLeftBehind = (): void => remove((owner) => !isRunning(owner));

function remove(isOver: (owner: number) => boolean): void {
	for (const name of existsSync(directory) ? readdirSync(directory) : []) {
		if (name.startsWith(prefix) && isOver(Number.parseInt(name.slice(prefix.length), 10))) {
			spawnSync("ip", ["netns", "del", name]);
		}
	}
}

function routeLoopback(name: string): void {
	for (const which of ["all", "default"]) {
		run(...enter(name), "sysctl", "-qw", `net.ipv4.conf.${which}.route_localnet=1`);
	}
}

/** The network as a run sees it that goes on in the control's namespace. */
export class NamespaceNetwork implements Network {
	readonly kind = "network namespaces";
	readonly places: readonly NodePlace[];
	readonly #names: readonly string[];
	#cut: readonly Link[] = [];
	readonly #slow = new Set<number>();

	constructor(owner: number, nodeCount: number) {
		this.#names = Array.from({ length: nodeCount }, (_, node) => nodeName(owner, node));
		this.places = this.#names.map((name, node) => ({
			host: host(node),
			...ports,
			wrap: [...enter(name), "--"],
			via: {},
		}));
	}

	cut(links: readonly Link[]): void {
		const wanted = new Set(links.map(String));
		for (const [from, to] of allLinks([...this.#names.keys()])) {
			const isCut = this.#cut.some(([a, b]) => a === from && b === to);
			const shouldBe = wanted.has(String([from, to]));
			if (isCut === shouldBe) continue;
			const where = [host(to), "dev", device];
			const neighbour = ["lladdr", nobody, "nud", "permanent"];
			if (shouldBe) this.#in(from, "ip", "neigh", "replace", ...where, ...neighbour);
			else this.#in(from, "ip", "neigh", "del", ...where);
		}
		this.#cut = links;
	}

	slow(nodes: readonly number[]): string {
		const root = ["qdisc", "replace", "dev", device, "root"];
		let how = "40 ms, 2 % lost";
		for (const node of nodes) {
			const netem = ["netem", "delay", "40ms", "20ms", "loss", "2%"];
			if (spawnSync("nsenter", this.#args(node, "tc", ...root, ...netem)).status !== 0) {
				// This kernel has no netem: a thin pipe with a short queue is slow, and loses what does not fit.
				how = "600 kbit/s with a queue of 16 kB";
				this.#in(node, "tc", ...root, "tbf", "rate", "600kbit", "burst", "4kb", "limit", "16kb");
			}
			this.#slow.add(node);
		}
		return how;
	}

	heal(): void {
		this.cut([]);
		for (const node of this.#slow) this.#in(node, "tc", "qdisc", "del", "dev", device, "root");
		this.#slow.clear();
	}

	close(): void {
		// Who made the namespaces removes them.
	}

	#args(node: number, ...args: readonly string[]): readonly string[] {
		return [...enter(this.#names[node]!).slice(1), ...args];
	}

	#in(node: number, ...args: readonly string[]): void {
		run("nsenter", ...this.#args(node, ...args));
	}
}

const ip = (...args: readonly string[]): void => run("ip", ...args);

function run(...command: readonly string[]): void {
	const [program, ...args] = command;
	execFileSync(program!, args, { stdio: ["ignore", "ignore", "pipe"] });
}
