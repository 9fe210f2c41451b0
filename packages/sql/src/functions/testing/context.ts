/** A session for tests: everything fixed. */
import type { FunctionContext } from "../../types/registry.ts";

/** 2020-06-01 12:34:56.789 UTC. */
const now = 644_243_696_789_000n;

export function testContext(overrides: Partial<FunctionContext> = {}): FunctionContext {
	return {
		timeZone: "UTC",
		dateStyle: "ISO, MDY",
		extraFloatDigits: 1,
		byteaOutput: "hex",
		transactionStart: now,
		statementStart: now,
		clockNow: () => now,
		currentUser: "postgres",
		sessionUser: "postgres",
		currentRole: 10,
		currentDatabase: "postgres",
		searchPath: ["public"],
		random: () => 0.5,
		seedRandom: () => undefined,
		randomBytes: (count) => new Uint8Array(count).fill(0xab),
		backendPid: 4711,
		setting: (name) => (name === "server_version" ? "15.0 (Quorate 0.1.0)" : undefined),
		setSetting: (_name, value) => value,
		catalogCall: () => null,
		rowFields: () => [],
		sequenceCall: () => null,
		sequenceState: () => Promise.resolve({ last: 1n, called: false }),
		advisoryCall: async () => null,
		notify: () => {},
		listeningChannels: () => [],
		sessionRows: () => [],
		notificationUsage: () => 0,
		clusterActivity: async () => ({ nodes: [], silent: [] }),
		clusterOverview: () => Promise.resolve({ nodes: [], silent: [] }),
		clusterStatements: () => Promise.resolve({ nodes: [], silent: [] }),
		changeNode: () => Promise.resolve(),
		signalBackend: async () => false,
		transactionNumber: async () => null,
		timestampCall: async () => null,
		sleep: async () => {},
		...overrides,
	};
}
