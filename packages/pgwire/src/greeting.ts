/** What a client is told when its session has been opened, up to the first ReadyForQuery. */
import type { Session } from "@quorate/sql/session/types";
import type { CancelKey } from "./cancel-keys.ts";
import type { MessageWriter } from "./message-writer.ts";
import { backend } from "./messages.ts";
import { protocolMinorMax, type StartupPacket } from "./start-up.ts";

export function writeGreeting(
	writer: MessageWriter,
	packet: StartupPacket & { readonly kind: "session" },
	session: Session,
	key: CancelKey,
): void {
	if (packet.minor > protocolMinorMax || packet.protocolOptions.length > 0) {
		writer.begin(backend.negotiateProtocolVersion);
		writer.int32((3 << 16) | protocolMinorMax);
		writer.int32(packet.protocolOptions.length);
		for (const option of packet.protocolOptions) {
			writer.string(option);
		}
		writer.end();
	}
	writer.begin(backend.authentication);
	writer.int32(0);
	writer.end();
	for (const [name, value] of session.reportedSettings()) {
		writer.begin(backend.parameterStatus);
		writer.string(name);
		writer.string(value);
		writer.end();
	}
	writer.begin(backend.backendKeyData);
	writer.int32(key.pid);
	writer.int32(key.secret);
	writer.end();
}
