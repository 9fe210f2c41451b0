/** Sessions of the real machine's clock and timers, over a database in memory. */
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import { createSessionFactory } from "../session/factory.ts";
import type { Session } from "../session/types.ts";
import { memoryAdvisory } from "./memory-advisory.ts";
import { MemoryCoordinator } from "./memory-coordinator.ts";

export interface MemorySessions {
	open(): Promise<Session>;
	/** Ends all of them. */
	close(): Promise<void>;
}

/** `statementMemory`: bytes that one statement may take. */
export function memorySessions(statementMemory?: number): MemorySessions {
	const coordinator = new MemoryCoordinator();
	const runtime = createRealRuntime({ logLevel: "error" });
	const factory = createSessionFactory({
		runtime,
		coordinator,
		placement: coordinator,
		advisory: memoryAdvisory(runtime, coordinator),
		...(statementMemory === undefined ? {} : { statementMemory }),
	});
	const parameters = new Map([
		["user", "quorate"],
		["database", "quorate"],
	]);
	const opened: Promise<Session>[] = [];
	return {
		open: () => {
			const session = factory.open(parameters, opened.length + 1);
			opened.push(session);
			return session;
		},
		close: async () => {
			for (const session of opened) await (await session).close();
			factory.close();
		},
	};
}
