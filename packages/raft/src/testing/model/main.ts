/** `make model RAFT=1`: explores the full bounded case, three replicas, two terms, two proposals, one crash. Takes minutes and 3 GB. */
import { Explorer } from "./explore.ts";

const bounds = { termMax: 2, proposals: 2, crashes: 1, statesMax: 22_000_000 };
const explorer = new Explorer({ voters: 3, logs: [], isSymmetric: true, ...bounds });
const { states, localStates, broken } = explorer.run();
console.log(`${states} states of the cluster, ${localStates} of a replica`);
if (broken !== undefined) {
	console.log(broken.property);
	for (const step of broken.steps) console.log(`  ${step}`);
	process.exitCode = 1;
} else console.log("the five properties hold in all of them");
