/** Type bytes of the messages, both ways (PostgreSQL manual, "Message Formats"), and the answers that never vary. */
const code = (letter: string): number => letter.charCodeAt(0);

export const frontend = {
	query: code("Q"),
	parse: code("P"),
	bind: code("B"),
	describe: code("D"),
	execute: code("E"),
	close: code("C"),
	flush: code("H"),
	sync: code("S"),
	terminate: code("X"),
	copyData: code("d"),
	copyDone: code("c"),
	copyFail: code("f"),
	functionCall: code("F"),
	password: code("p"),
} as const;

export const backend = {
	authentication: code("R"),
	backendKeyData: code("K"),
	bindComplete: code("2"),
	closeComplete: code("3"),
	commandComplete: code("C"),
	copyData: code("d"),
	copyDone: code("c"),
	copyInResponse: code("G"),
	copyOutResponse: code("H"),
	dataRow: code("D"),
	emptyQueryResponse: code("I"),
	errorResponse: code("E"),
	negotiateProtocolVersion: code("v"),
	noData: code("n"),
	noticeResponse: code("N"),
	notificationResponse: code("A"),
	parameterDescription: code("t"),
	parameterStatus: code("S"),
	parseComplete: code("1"),
	portalSuspended: code("s"),
	readyForQuery: code("Z"),
	rowDescription: code("T"),
} as const;

/** A message without a body. */
const bare = (type: number): Uint8Array => Uint8Array.of(type, 0, 0, 0, 4);

export const answers = {
	parseComplete: bare(backend.parseComplete),
	bindComplete: bare(backend.bindComplete),
	closeComplete: bare(backend.closeComplete),
	noData: bare(backend.noData),
	portalSuspended: bare(backend.portalSuspended),
	emptyQueryResponse: bare(backend.emptyQueryResponse),
	copyDone: bare(backend.copyDone),
} as const;
