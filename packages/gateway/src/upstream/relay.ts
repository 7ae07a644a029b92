import type { Protocol, UpstreamFailure, Usage } from '../protocols/protocol.js';
import { runtimeFailureIn, type FailureInHead } from '../protocols/runtime-failure.js';
import { answerSpeed, type AnswerSpeed } from './answer-speed.js';
import { AnswerWatch } from './answer-watch.js';
import type { HttpClient, HttpExchange, HttpHead, HttpRequest } from './http-client.js';

/** Takes an answer of the runtime on its way to the client. */
export interface AnswerSink {
  /** Whether the client can be given this answer. A stream that has begun takes only events. */
  accepts(isStream: boolean): boolean;
  /**
   * Called once, before the first bytes, when the answer is known not to be a failure.
   *
   * @param isStream - whether it is a stream of events
   */
  begin(head: HttpHead, isStream: boolean): void;
  /** Returns false where the client reads too slowly; then `drained` is called later. */
  write(chunk: Buffer, drained: () => void): boolean;
  /** Called once, after the last bytes of a whole answer. */
  end(): void;
}

/** How an attempt ended. */
export type RelayOutcome =
  /** The whole answer was written and ended. */
  | {
      readonly kind: 'done';
      readonly firstByteMs: number;
      readonly usage: Usage | null;
      readonly responseId: string | null;
      /** Null where the answer does not count its tokens. */
      readonly speed: AnswerSpeed | null;
    }
  /** The runtime answered with a failure, and the sink has received nothing. */
  | {
      readonly kind: 'refused';
      readonly failure: UpstreamFailure;
      readonly head: HttpHead;
      readonly body: Buffer;
      /** Whether `body` is the whole body: a long one is read in part. */
      readonly isWhole: boolean;
    }
  /** The connection failed before the runtime's first byte, and the sink has received nothing. */
  | { readonly kind: 'unreachable'; readonly error: Error }
  /** The answer stopped after its first byte. The sink has received a part. */
  | { readonly kind: 'cut'; readonly error: Error };

/** This many bytes of an answer's start show whether it is a failure. */
const GLANCE_BYTES = 512;

/** The client whose request is relayed. */
export interface AskingClient {
  /** Why the request ends early, such as that the client has gone; null while it goes on. */
  readonly reason: Error | null;
  /** Calls the listener when the request ends early; null removes it. */
  listen(listener: ((reason: Error) => void) | null): void;
}

/** Longest failure body that is read. LM Studio's are far shorter. */
const HEAD_BYTES_MAX = 65_536;

/**
 * Sends one request to the runtime and passes the answer on. The first bytes are held back until they are known not to
 * be a failure, so that the request can still go to another resident.
 *
 * @throws the reason for which the request ends early, such as an AbortError when the client has gone
 */
export function relay(
  client: HttpClient,
  request: HttpRequest,
  {
    protocol,
    sink,
    client: asking,
    lost = null,
    holdsBodies = false,
    maxOutputTokens = null,
    isOther = null,
    monotonicMs,
  }: {
    readonly protocol: Protocol;
    readonly sink: AnswerSink;
    readonly client: AskingClient;
    /** Ends the request with the signal's reason. Default: none. */
    readonly lost?: AbortSignal | null;
    /**
     * Whether up to 64 KiB of an answer that is no stream are held back until it is whole. A part of a JSON document is of no use to a
     * client and cannot be followed by an error; held back, the request can still go elsewhere. Default false.
     */
    readonly holdsBodies?: boolean;
    /** The most tokens that the request allows. Default null: it sets no limit. */
    readonly maxOutputTokens?: number | null;
    /**
     * Whether a name is that of a resident of another model than the one that was asked. Its answer is a failure. LM Studio gives such
     * answers where the asked resident is gone and only one other is loaded (lmstudio-bug-tracker #619). Default null: no name is.
     */
    readonly isOther?: ((instanceIdentifier: string) => boolean) | null;
    readonly monotonicMs: () => number;
  },
): Promise<RelayOutcome> {
  return new Promise((resolve, reject) => {
    if (asking.reason !== null) {
      reject(asking.reason);
      return;
    }
    const startedMs = monotonicMs();
    let head: HttpHead | null = null;
    let held: Buffer[] = [];
    let heldBytes = 0;
    let begun = false;
    let isStream = false;
    let firstByteMs = 0;
    let refused: UpstreamFailure | null = null;
    /** Whether bytes of a failure were not held. */
    let hasMore = false;
    const watch = new AnswerWatch(protocol.tailBytes);
    const onLost = (): void => {
      const reason: unknown = lost?.reason;
      exchange.abort(reason instanceof Error ? reason : new Error('The lease has ended.'));
    };
    const settle = (outcome: RelayOutcome): void => {
      asking.listen(null);
      lost?.removeEventListener('abort', onLost);
      if (asking.reason === null) resolve(outcome);
      else reject(asking.reason);
    };
    const pass = (chunk: Buffer): void => {
      watch.add(chunk);
      if (!sink.write(chunk, () => exchange.resume())) exchange.pause();
    };
    /** Looks at the held bytes, and begins the client's answer when they are no failure. */
    const judge = (at: HttpHead, ended: boolean): void => {
      const full = ended || heldBytes >= HEAD_BYTES_MAX;
      const bytes = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
      // The whole text of a failure is needed for its message. To rule out a failure, the start is enough.
      const textBytes = full || at.status >= 400 ? bytes.length : GLANCE_BYTES;
      const statedType = contentTypeOf(at);
      const contentType = isCompressed(at) ? '' : statedType;
      isStream = contentType.startsWith(EVENT_STREAM);
      const { status } = at;
      // A stream may send much before its first event. Being full is not the end of a stream: the event may still come.
      const isEnd = isStream && status < 400 ? ended : full;
      const failureInFirst = (count: number): FailureInHead => {
        const text = bytes.toString('utf8', 0, count);
        return runtimeFailureIn({ status, contentType, text, ended: isEnd });
      };
      let failure = failureInFirst(textBytes);
      // Comments may precede the first event.
      if (failure === 'undecided' && textBytes < bytes.length) {
        failure = failureInFirst(bytes.length);
      }
      if (failure === null && !sink.accepts(isStream)) failure = NOT_A_STREAM;
      const name = isOther === null ? null : residentIn(bytes.toString('utf8', 0, GLANCE_BYTES));
      if (failure === null && name !== null && isOther?.(name) === true) {
        refused = {
          message: `It is not loaded any more, and ${name} answered in its place.`,
          retriable: true,
        };
        // Otherwise the other model would generate a whole answer for nobody.
        if (!ended) exchange.abort(new Error(refused.message));
        return;
      }
      const waitsForRest = failure === null && holdsBodies && !statedType.startsWith(EVENT_STREAM);
      if (!full && (failure === 'undecided' || waitsForRest)) return;
      if (failure !== null && failure !== 'undecided') {
        refused = failure;
        return;
      }
      begun = true;
      sink.begin(at, isStream);
      for (const chunk of held) pass(chunk);
      held = [];
    };
    const exchange: HttpExchange = client.send(request, {
      onHead: (received) => {
        head = received;
      },
      onData: (chunk) => {
        if (firstByteMs === 0) firstByteMs = monotonicMs() - startedMs;
        if (begun) {
          pass(chunk);
          return;
        }
        // Only the first bytes of a failed answer are needed to tell the fault.
        if (refused !== null && heldBytes >= HEAD_BYTES_MAX) {
          hasMore = true;
          return;
        }
        held.push(chunk);
        heldBytes += chunk.length;
        if (head !== null && refused === null) judge(head, false);
      },
      onEnd: () => {
        if (head !== null && !begun && refused === null) judge(head, true);
        if (refused !== null && head !== null) {
          const body = Buffer.concat(held);
          settle({ kind: 'refused', failure: refused, head, body, isWhole: !hasMore });
          return;
        }
        const end = watch.tailText();
        if (isStream && !hasLastEvent(watch, end, protocol)) {
          settle({ kind: 'cut', error: new Error('The stream ended before its last event.') });
          return;
        }
        // Ends in the same turn in which the last bytes are written, so one packet carries the bytes and the end.
        if (asking.reason === null) sink.end();
        const start = (): string => watch.headText();
        const responseId = protocol.responseIdIn(start);
        const usage = protocol.usageIn(start, end);
        const tookMs = monotonicMs() - startedMs;
        const speed = answerSpeed({
          tail: end,
          usage,
          maxOutputTokens,
          isStream,
          firstByteMs,
          tookMs,
        });
        settle({ kind: 'done', firstByteMs, usage, responseId, speed });
      },
      onError: (error) => {
        if (begun) settle({ kind: 'cut', error });
        else if (refused !== null && head !== null) {
          const body = Buffer.concat(held);
          settle({ kind: 'refused', failure: refused, head, body, isWhole: false });
        } else settle({ kind: 'unreachable', error });
      },
    });
    asking.listen((reason) => exchange.abort(reason));
    if (lost?.aborted === true) onLost();
    else lost?.addEventListener('abort', onLost, { once: true });
  });
}

/** The resident that the start of an answer names; null where it names none. In a text, the quotes would be escaped. */
function residentIn(text: string): string | null {
  return /"model"\s*:\s*"([^"\\]+)"/.exec(text)?.[1] ?? null;
}

const NOT_A_STREAM: UpstreamFailure = {
  message: 'The answer is not a stream of events.',
  retriable: false,
};

const EVENT_STREAM = 'text/event-stream';

/**
 * Whether an answer cannot be read as text. It is passed on as bytes, although the runtime was asked for an uncompressed one.
 */
function isCompressed({ headers }: HttpHead): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding !== 'identity';
}

/** In lower case, because media types have no case. Empty where there is none. */
function contentTypeOf({ headers }: HttpHead): string {
  const type = headers['content-type'];
  return typeof type === 'string' ? type.trimStart().toLowerCase() : '';
}

/**
 * Whether a stream has its last event, up to its end. The last event of a response repeats the whole answer, so it may be longer than
 * what is kept of a stream. Its name comes first.
 */
function hasLastEvent(watch: AnswerWatch, tail: string, protocol: Protocol): boolean {
  // Data are JSON, or a word in brackets. Without a line end behind them, they may be cut.
  if (!/[\r\n}\]]$/.test(tail)) return false;
  return (
    hasEndMark(watch.isWhole ? `\n${tail}` : tail, protocol) ||
    hasEndMark(`\n${watch.lastEventStart()}`, protocol)
  );
}

/** Lines may end with a carriage return alone, and the space after a field's colon may be missing. */
function hasEndMark(text: string, { endMarks }: Protocol): boolean {
  if (endMarks.some((mark) => text.includes(mark))) return true;
  const lines = text.replaceAll('\r', '\n');
  return endMarks.some((mark) => lines.includes(mark) || lines.includes(mark.replace(': ', ':')));
}
