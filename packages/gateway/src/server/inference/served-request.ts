import type { Failure, ProtocolName, RequestFacts, Usage } from '../../protocols/protocol.js';

/** How a request was served, for metrics. Holds neither prompt nor answer. */
export interface ServedRequest {
  readonly protocol: ProtocolName;
  /** Null where the body was not read. */
  readonly facts: RequestFacts | null;
  /** Null where the request reached no model. */
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  readonly decisionId: string | null;
  /** HTTP status that the client received. */
  readonly status: number;
  /** Null where the request was served, or its client has gone. */
  readonly failure: Failure | null;
  /** Whether the client has gone before the end of its answer. */
  readonly gone: boolean;
  readonly queueMs: number;
  /** How often the request went to another resident after a failure. */
  readonly fallbacks: number;
  readonly tookMs: number;
  /** From the runtime's request to the first byte of its answer; null without an answer. */
  readonly firstByteMs: number | null;
  readonly usage: Usage | null;
  /** Identifier of the response, where the protocol has one. */
  readonly responseId: string | null;
}
