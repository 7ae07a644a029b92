import { isJsonObject } from '../json.js';
import type { ExceededContext, UpstreamFailure } from './protocol.js';

/**
 * Texts of failures that another resident, or the same model loaded again, may not have. LM Studio has no code for them.
 * Sources: lmstudio-bug-tracker #1050 (crash), #1755 (500 of /v1/messages), #671 and #1796 (unloaded during an answer),
 * #2133 (guardrails of a just-in-time load), and reports of 'Channel Error' after a crash.
 */
const FAILURES_OF_A_RESIDENT =
  /crash|exit code|unloaded|out of memory|failed to load|error loading model|no models? (?:is |are )?(?:currently )?loaded|model (?:is )?not loaded|insufficient (?:system resources|memory)|channel error|operation cancell?ed|cannot find a model with|websocket|disconnected/i;

/** Texts of LM Studio and of the embedded engine for a prompt that the context cannot hold. */
const CONTEXT_EXCEEDED = /n_keep|context (?:length|size)|context_length_exceeded/i;

/** Texts of other failures of the request itself, which any resident would refuse. */
const FAILURES_OF_A_REQUEST = /does not support|invalid/i;

/**
 * The sizes in the words of LM Studio, of llama.cpp and of the embedded engine. LM Studio says them in several ways:
 * lmstudio-bug-tracker #1755, Gitlawb/openclaude #353 (no space), anomalyco/opencode #11141 (0.4.6), lmstudio-bug-tracker #546
 * (0.3.13), aaif-goose/goose #11318 (0.4.21).
 */
const SIZES: readonly RegExp[] = [
  /n_keep:? \(?(?<prompt>\d+)\)? ?>= n_ctx:? \(?(?<context>\d+)/,
  /keep the first (?<prompt>\d+) tokens .* context length of only (?<context>\d+)/,
  /input has (?<prompt>\d+) tokens, but the context length only supports (?<context>\d+)/,
  /\((?<prompt>\d+) tokens\) exceeds the available context size \((?<context>\d+)/,
  /context length is (?<context>\d+) tokens, and the input has (?<prompt>\d+)/,
];

/** OpenAI's codes of the same failures, which the embedded engine has. */
const CONTEXT_CODE = 'context_length_exceeded';
const CODES_OF_A_REQUEST: ReadonlySet<unknown> = new Set([
  CONTEXT_CODE,
  'image_parse_error',
  'invalid_value',
]);

/** The failure of an answer without a byte. */
const EMPTY: UpstreamFailure = { message: 'The answer was empty.', retriable: true };

/** The start of an answer of the runtime. */
export interface AnswerHead {
  readonly status: number;
  readonly contentType: string;
  /** The bytes so far, as text. */
  readonly text: string;
  /** Whether the answer has ended. */
  readonly ended: boolean;
}

/** A failure; null: the answer is not a failure; `undecided`: more bytes are needed to tell. */
export type FailureInHead = UpstreamFailure | 'undecided' | null;

/**
 * The failure that the first bytes of an answer of LM Studio carry: an error status, an `error` body with status 200 (its
 * answer to unknown endpoints), or a stream whose first event is an error.
 */
export function runtimeFailureIn(head: AnswerHead): FailureInHead {
  const { status, contentType, text, ended } = head;
  if (status >= 400) return ended ? describe(status, text) : 'undecided';
  // A client that follows a redirect would send its prompt and its key to another server.
  if (status >= 300)
    return { message: `The answer had the HTTP status ${status}.`, retriable: false };
  return contentType.startsWith('text/event-stream')
    ? failureInStream(text, ended)
    : failureInBody(status, text, ended);
}

function failureInBody(status: number, text: string, ended: boolean): FailureInHead {
  const start = text.trimStart();
  if (start === '') return ended ? EMPTY : 'undecided';
  if (!/^\{\s*"error"\s*:/.test(start)) {
    // The key may be cut.
    const mayBecome = !ended && start.length < 64 && /^\{\s*(?:"[error]*"?\s*)?$/.test(start);
    return mayBecome ? 'undecided' : null;
  }
  if (!ended) return 'undecided';
  const body = parse(start);
  return isJsonObject(body) && body['error'] === null ? null : describe(status, start);
}

function failureInStream(text: string, ended: boolean): FailureInHead {
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const isWhole = index < lines.length - 1 || ended;
    // Blank lines and comments precede the first event.
    if (isWhole && (line.trim() === '' || line.startsWith(':'))) continue;
    if (line.startsWith('data:')) {
      const data = line.slice('data:'.length).trimStart();
      if (data.length < MARK.length && !isWhole) return 'undecided';
      if (!data.startsWith(MARK)) return null;
      return isWhole ? describe(500, data) : 'undecided';
    }
    if (!isWhole) return 'undecided';
    if (/^event:\s*error\s*$/.test(line)) {
      const data = lines[index + 1];
      const isDataWhole = index + 1 < lines.length - 1 || ended;
      return isDataWhole ? describe(500, (data ?? '').replace(/^data:\s*/, '')) : 'undecided';
    }
    return null;
  }
  return ended ? EMPTY : 'undecided';
}

const MARK = '{"error"';

/** The failure that an error body describes. */
function describe(status: number, text: string): UpstreamFailure {
  const body = parse(text);
  const message =
    text.trim() === ''
      ? `The answer had the HTTP status ${status} and no message.`
      : messageIn(body, text);
  const code = codeIn(body);
  const hasCode = CODES_OF_A_REQUEST.has(code);
  const isOfResident = !hasCode && FAILURES_OF_A_RESIDENT.test(message);
  const isExceeded =
    code === CONTEXT_CODE || (!hasCode && !isOfResident && CONTEXT_EXCEEDED.test(message));
  const isOfRequest =
    hasCode || isExceeded || (!isOfResident && FAILURES_OF_A_REQUEST.test(message));
  const isUnknown = status >= 500 && status !== 501 && !isOfRequest;
  return {
    message,
    retriable: isOfResident || isUnknown,
    ...(isExceeded ? { exceeded: sizesIn(message) } : {}),
  };
}

/** The sizes that a refusal of a prompt that is too long names. */
export function sizesIn(message: string): ExceededContext {
  const found = SIZES.map((sizes) => sizes.exec(message)?.groups).find((groups) => groups);
  return {
    promptTokens: found === undefined ? null : Number(found['prompt']),
    contextTokens: found === undefined ? null : Number(found['context']),
  };
}

function codeIn(body: unknown): unknown {
  const error = isJsonObject(body) ? body['error'] : null;
  return isJsonObject(error) ? error['code'] : null;
}

function messageIn(body: unknown, text: string): string {
  if (!isJsonObject(body)) return text.trim();
  const { error, message } = body;
  if (typeof error === 'string') return error;
  if (isJsonObject(error) && typeof error['message'] === 'string') return error['message'];
  return typeof message === 'string' ? message : text.trim();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the text itself is the message.
    return null;
  }
}
