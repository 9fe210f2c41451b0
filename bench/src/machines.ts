/**
 * Processes as machines of their own: each gets its part of the CPU, whatever the others leave, by a control group of Linux (version
 * 1 or 2; root). Without that, one process more takes from the others what a machine more would bring along.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";

/** Short, so that who has had its part does not stand still for long. */
const periodUs = 10_000;
const version1 = "/sys/fs/cgroup/cpu";
const version2 = "/sys/fs/cgroup";

export class Machines {
	/** Of a core. */
	readonly share: number;
	readonly #groups: string[] = [];

	/** For `count` processes at most; what is left, a fifth of all cores, is for those who ask them. */
	constructor(count: number) {
		this.share = (0.8 * cpus().length) / count;
	}

	/** True from now on for all of `pids`; false where the kernel does not let us, and nothing is limited. */
	add(pids: readonly number[]): boolean {
		try {
			for (const pid of pids) this.#add(pid);
			return true;
		} catch {
			this.close();
			return false;
		}
	}

	#add(pid: number): void {
		const quotaUs = Math.round(this.share * periodUs);
		const name = `quorate-bench-${pid}`;
		const isVersion1 = existsSync(join(version1, "cpu.cfs_quota_us"));
		const group = join(isVersion1 ? version1 : version2, name);
		if (!isVersion1) writeFileSync(join(version2, "cgroup.subtree_control"), "+cpu");
		mkdirSync(group, { recursive: true });
		this.#groups.push(group);
		if (isVersion1) {
			writeFileSync(join(group, "cpu.cfs_period_us"), `${periodUs}`);
			writeFileSync(join(group, "cpu.cfs_quota_us"), `${quotaUs}`);
		} else {
			writeFileSync(join(group, "cpu.max"), `${quotaUs} ${periodUs}`);
		}
		writeFileSync(join(group, "cgroup.procs"), `${pid}`);
	}

	/** Who still runs is limited no longer. */
	close(): void {
		for (const group of this.#groups.splice(0)) {
			if (!existsSync(group)) continue;
			for (const pid of readFileSync(join(group, "cgroup.procs"), "utf8").split("\n")) {
				if (pid !== "") writeFileSync(join(dirname(group), "cgroup.procs"), pid);
			}
			rmdirSync(group);
		}
	}
}
