import type { CompletionReport, TokenReport } from './llama-door.js';

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool-calls';

/** Tokens that a request took. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompt tokens whose state was in the KV cache already. */
  readonly cachedTokens: number;
}

/** The new part of an answer. */
export type AnswerDelta =
  | { readonly type: 'content'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'tool-call'; readonly index: number; readonly name: string }
  | { readonly type: 'tool-arguments'; readonly index: number; readonly text: string };

/** The end of an answer. */
export interface AnswerEnd {
  readonly finishReason: FinishReason;
  /** The client's stop sequence that ended the answer; null where something else ended it. */
  readonly stopSequence: string | null;
  readonly usage: Usage;
  /** Null where the answer was ended before the binding reported its times. */
  readonly timings: Timings | null;
}

/** The times of a request, without the time in which it waited for its turn. */
export interface Timings {
  /** Prompt tokens that were computed: those that were not in the KV cache. */
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly predictedTokens: number;
  readonly predictedMs: number;
}

/** The part of an answer that is generated so far. */
export interface Snapshot {
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
}

/**
 * Reads a report. A chat's report holds the whole text up to this token; a completion's text is passed as `plainText`.
 */
export function snapshotOf(
  report: TokenReport | CompletionReport,
  plainText: string | null,
): Snapshot {
  return {
    content: plainText ?? report.content ?? '',
    reasoning: plainText === null ? (report.reasoning_content ?? '') : '',
    toolCalls:
      plainText === null
        ? (report.tool_calls ?? []).map((call) => ({
            name: call.function.name,
            arguments: call.function.arguments,
          }))
        : [],
  };
}

/** Whether an answer has any text or calls. */
export function hasParts({ content, reasoning, toolCalls }: Snapshot): boolean {
  return content !== '' || reasoning !== '' || toolCalls.length > 0;
}

/**
 * Takes the text that an answer continues off its snapshots. llama.cpp's parser of a template that can think reads the start of the
 * answer, too, and others do not, so the first snapshot tells.
 */
export class BegunText {
  readonly #begun: string;
  #isParsed: boolean | null;

  /** @param begun - null: the answer begins a message */
  constructor(begun: string | null) {
    this.#begun = begun ?? '';
    this.#isParsed = this.#begun === '' ? false : null;
  }

  /** @param generated - the text that llama.cpp has generated up to this snapshot */
  takenOff(snapshot: Snapshot, generated: string): Snapshot {
    const { content } = snapshot;
    const hasBegun = content !== '' && content.startsWith(this.#begun);
    if (hasParts(snapshot)) this.#isParsed ??= hasBegun && !generated.startsWith(content);
    if (this.#isParsed !== true || !hasBegun) return snapshot;
    return { ...snapshot, content: content.slice(this.#begun.length) };
  }
}

/**
 * The whole answer. The binding leaves the parsed fields out where it cannot parse a finished text. Where the limit or a stop
 * sequence has cut the text off, for example inside a tool call, the fields of the last token tell what the answer has. Else
 * the text itself is the content.
 */
export function finalSnapshot(
  snapshot: Snapshot,
  { text, stopped_limit, stopped_word, context_full }: CompletionReport,
  newest: Snapshot | null,
): Snapshot {
  if (hasParts(snapshot)) return snapshot;
  if (newest !== null && (stopped_limit || stopped_word || context_full)) return newest;
  return { ...snapshot, content: text };
}

/**
 * Turns snapshots into deltas. Text that can still change is held back: the start of a stop sequence, and replacement
 * characters at the end, which stand for a character whose bytes are not complete.
 */
export class AnswerReader {
  readonly #stops: readonly string[];
  #content = '';
  #reasoning = '';
  readonly #calls: string[] = [];
  readonly #mostCalls: number;
  #stop: string | null = null;
  #hasFurtherCall = false;

  /** @param mostCalls - tool calls after which the answer ends; some templates do not limit them */
  constructor(stops: readonly string[], mostCalls: number) {
    this.#stops = stops;
    this.#mostCalls = mostCalls;
  }

  /** The stop sequence that was found. Nothing follows it. */
  get stop(): string | null {
    return this.#stop;
  }

  /** Whether nothing more can follow, although the model may go on. */
  get isDone(): boolean {
    return this.#stop !== null || this.#hasFurtherCall;
  }

  get toolCalls(): number {
    return this.#calls.length;
  }

  *read(snapshot: Snapshot, isFinal: boolean): Generator<AnswerDelta> {
    if (this.isDone) return;
    const hasCalls = snapshot.toolCalls.length > 0;
    const hasContent = snapshot.content !== '';
    const reasoning = this.#cut(snapshot.reasoning, isFinal || hasContent || hasCalls);
    const newReasoning = suffixAfter(this.#reasoning, reasoning);
    if (newReasoning !== '') {
      this.#reasoning = reasoning;
      yield { type: 'reasoning', text: newReasoning };
    }
    if (this.#stop !== null) return;
    const content = this.#cut(snapshot.content, isFinal || hasCalls);
    const newContent = suffixAfter(this.#content, content);
    if (newContent !== '') {
      this.#content = content;
      yield { type: 'content', text: newContent };
    }
    if (this.#stop !== null) return;
    yield* this.#readCalls(snapshot, isFinal);
  }

  /**
   * The text up to the first stop sequence. Where the text is not whole, it has no end that can still become a stop sequence or
   * a character. llama-server looks for stop sequences in all that the model generates, so also in reasoning and arguments.
   */
  #cut(text: string, isWhole: boolean): string {
    const found = firstStop(text, this.#stops);
    if (found !== null) {
      this.#stop = found.stop;
      return text.slice(0, found.at);
    }
    if (isWhole) return text;
    return withoutOpenCharacter(text.slice(0, text.length - openStopLength(text, this.#stops)));
  }

  *#readCalls(snapshot: Snapshot, isFinal: boolean): Generator<AnswerDelta> {
    for (const [index, call] of snapshot.toolCalls.entries()) {
      let sent = this.#calls[index];
      if (sent === undefined) {
        if (call.name === '') return;
        if (index >= this.#mostCalls) {
          this.#hasFurtherCall = true;
          return;
        }
        sent = '';
        this.#calls[index] = sent;
        yield { type: 'tool-call', index, name: call.name };
      }
      const text = this.#cut(call.arguments, isFinal || index + 1 < snapshot.toolCalls.length);
      const added = suffixAfter(sent, text);
      if (added !== '') {
        this.#calls[index] = text;
        yield { type: 'tool-arguments', index, text: added };
      }
      if (this.#stop !== null) return;
    }
  }
}

/** The stop sequence that begins first in a text; null where it has none. */
export function firstStop(
  text: string,
  stops: readonly string[],
): { readonly stop: string; readonly at: number } | null {
  const found = stops
    .map((stop) => ({ stop, at: text.indexOf(stop) }))
    .filter(({ at }) => at !== -1)
    .sort((a, b) => a.at - b.at);
  return found[0] ?? null;
}

/**
 * The rest of `text` after `sent`; empty where `text` does not continue `sent`, because the parser may still change it.
 */
function suffixAfter(sent: string, text: string): string {
  return text.length > sent.length && text.startsWith(sent) ? text.slice(sent.length) : '';
}

/** Without a last character whose bytes are not complete. */
export function withoutOpenEnd({ content, reasoning, toolCalls }: Snapshot): Snapshot {
  return {
    content: withoutOpenCharacter(content),
    reasoning: withoutOpenCharacter(reasoning),
    toolCalls: toolCalls.map((call) => ({
      ...call,
      arguments: withoutOpenCharacter(call.arguments),
    })),
  };
}

function withoutOpenCharacter(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\uFFFD') end -= 1;
  return text.slice(0, end);
}

/** Length of the longest end of the text that is the start of a stop sequence. */
function openStopLength(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) {
        longest = length;
        break;
      }
    }
  }
  return longest;
}
