/** `make model RAFT=1`: explores the full bounded case, three replicas, two terms, two proposals, one crash. */
import { Explorer } from "./explore.ts";

const { TERMS = "2", PROPOSALS = "2", CRASHES = "1", STATES = "22000000" } = process.env;
const explorer = new Explorer({
	voters: 3,
	logs: [],
	isSymmetric: true,
	termMax: Number(TERMS),
	proposals: Number(PROPOSALS),
	crashes: Number(CRASHES),
	statesMax: Number(STATES),
});
const { states, localStates, broken } = explorer.run((seen, waiting) => {
	console.error(`${seen} states so far, ${waiting} of them to go on from`);
});
console.log(`${states} states of the cluster, ${localStates} of a replica`);
if (broken !== undefined) {
	console.log(broken.property);
	for (const step of broken.steps) console.log(`  ${step}`);
	process.exitCode = 1;
} else console.log("the five properties hold in all of them");
