import type { JsonObject } from '../json.js';

/** A wire protocol of clients: what a request needs, and the form of failures and of signs while a request waits. */
export interface Protocol {
  readonly name: ProtocolName;
  /** Reads what a request needs. Fields of an unexpected type count as absent: the runtime judges them. */
  read(body: JsonObject): RequestFacts;
  /** A failure as the answer to a request, in the form that this protocol documents. */
  failure(failure: Failure): FailureAnswer;
  /** A failure as the last event of a stream that has begun: the bytes of the event. The stream is then closed. */
  streamFailure(failure: Failure): string;
  /** Bytes that keep a waiting stream open, and give the client its position and the progress. */
  waiting(progress: WaitProgress): string;
  /**
   * Marks of a whole stream: its last `tailBytes` hold the documented last event, or an error event. A
   * stream without them was cut.
   */
  readonly endMarks: readonly string[];
  /** How many of the last bytes of an answer have its last event and its usage. */
  readonly tailBytes: number;
  /** The identifier that later requests name as `previous_response_id`; null where this protocol has none. */
  responseIdIn(head: () => string): string | null;
  /** Token counts in the first and last bytes of an answer; null where it has none. */
  usageIn(head: () => string, tail: string): Usage | null;
}

export type ProtocolName =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-embeddings'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'lmstudio-chat';

/** The needs of a request. */
export interface RequestFacts {
  /** The name in the body's `model`; null where it is absent or not a string. */
  readonly model: string | null;
  /** Whether the client wants a stream of events. */
  readonly stream: boolean;
  /** Capabilities that the request needs, such as `vision` and `tools`. */
  readonly capabilities: readonly string[];
  /** UTF-8 bytes of the text of prompt, tools and schemas, without images. */
  readonly promptBytes: number;
  readonly images: number;
  /** The most tokens of the answer; null where the request sets no limit. */
  readonly maxOutputTokens: number | null;
  /** The response that this request continues; null where it continues none. */
  readonly previousResponseId: string | null;
}

/** A failure that the gateway sends to a client. Codes are API. */
export interface Failure {
  readonly code: FailureCode;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Says what failed, with which value, and what to do next. */
  readonly message: string;
  /** Seconds for `Retry-After`; null without it. At most 59, because clients ignore longer waits. */
  readonly retryAfterSeconds: number | null;
}

export type FailureCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'model_not_found'
  /** The list of models is not complete now, and the model may be among the missing ones. */
  | 'models_not_listed'
  /** No model of the chain, or of the tier, is downloaded. */
  | 'model_not_downloaded'
  /** Models are downloaded, but none of the chain can do what the request needs. */
  | 'not_capable'
  | 'nothing_fits'
  /** The last load of the model failed, and is not tried again yet. */
  | 'load_failed'
  | 'model_loading'
  | 'queue_full'
  | 'too_large'
  /** The prompt is too long for the context of the model. OpenAI's own code. */
  | 'context_length_exceeded'
  | 'previous_response_not_found'
  | 'not_supported'
  | 'upstream_failed'
  | 'upstream_unreachable'
  | 'stopping'
  /** The request came with a lease that this host does not honour, such as one that has ended. */
  | 'lease_not_honoured'
  /** The runtime refuses the request itself; its own answer is passed on. */
  | 'refused'
  /** A bug of the gateway. */
  | 'internal';

/** An answer with a failure. */
export interface FailureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The message to a waiting client. */
export interface WaitProgress {
  /** 1 is next. Null: a resident has the request, and reads its prompt. */
  readonly position: number | null;
  readonly waitedMs: number;
  /** The model that is being loaded; null without a load. */
  readonly loading: { readonly modelKey: string; readonly progressRatio: number } | null;
}

/** The message to a client that waits in the queue. */
export interface QueueProgress extends WaitProgress {
  readonly position: number;
}

/** A failure of the runtime. */
export interface UpstreamFailure {
  readonly message: string;
  /**
   * Whether another resident may serve the same request: the engine crashed, memory ran out, or the model was unloaded.
   * False where the request itself is at fault.
   */
  readonly retriable: boolean;
  /** The prompt is too long for the context of the resident. Absent for other failures. */
  readonly exceeded?: ExceededContext;
}

/** The sizes in a refusal of a prompt that is too long; null where the refusal does not name them. */
export interface ExceededContext {
  readonly promptTokens: number | null;
  readonly contextTokens: number | null;
}

/** Token counts that an answer reports. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
}
