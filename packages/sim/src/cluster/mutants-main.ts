/** `make sim-mutants [SEEDS=n] [MUTANT=name]`: takes out one protection after the other and says how many seeds it took to notice. */
import { hunt, mutants } from "./mutants.ts";

const { SEEDS = "2000", MUTANT } = process.env;
const chosen = mutants.filter((m) => MUTANT === undefined || m.mutation === MUTANT);
if (chosen.length === 0) throw new Error(`no mutant ${MUTANT}`);
const isTerminal = process.stderr.isTTY;
let missed = 0;
console.log(
	"| mutant | profile | seeds | the first check that turned red |\n| --- | --- | --- | --- |",
);
for (const mutant of chosen) {
	const { seeds, found } = await hunt(mutant, Number(SEEDS), (seed) => {
		if (isTerminal) process.stderr.write(`\r${mutant.mutation}: seed ${seed} `);
		else if (seed % 50 === 0) process.stderr.write(`${mutant.mutation}: seed ${seed}\n`);
	});
	if (isTerminal) process.stderr.write("\r\u001b[K");
	if (found === undefined) missed++;
	const verdict = (found ?? "NOT FOUND").replaceAll("|", "/").replace(/[^ -~]/g, ".");
	console.log(`| ${mutant.what} | ${mutant.profile} | ${seeds} | ${verdict} |`);
}
console.log(`${chosen.length - missed} found, ${missed} not found`);
process.exitCode = missed === 0 ? 0 : 1;
