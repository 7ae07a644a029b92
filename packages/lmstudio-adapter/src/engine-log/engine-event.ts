import { number, record, text, type Json } from '../json-fields.js';
import { type EngineFact, parseEngineLines } from './parse-engine-line.js';

/** An event of an engine's log, without its text. */
export interface EngineEvent {
  readonly kind: 'engine';
  readonly instanceIdentifier: string | null;
  readonly reference: string | null;
  readonly pid: number | null;
  readonly engine: { readonly name: string; readonly version: string };
  readonly facts: readonly EngineFact[];
}

/** A request to the instance with this identifier, without its content. */
export interface RequestEvent {
  readonly kind: 'request';
  readonly requestTo: string | null;
  /** LM Studio's clock, in milliseconds; `null`: not in the log. */
  readonly atMs: number | null;
}

/** The end of an answer of the instance with this identifier, without its text. */
export interface AnswerEvent {
  readonly kind: 'answer';
  readonly answerOf: string | null;
  /** `null`: not in the log, or not those of the model alone, because a draft model helped. */
  readonly stats: {
    readonly promptTokens: number;
    readonly predictedTokens: number;
    readonly tokensPerSecond: number;
  } | null;
}

/** An event of LM Studio's log, as far as it is kept. */
export type LogEvent = EngineEvent | RequestEvent | AnswerEvent;

const REQUEST = 'llm.prediction.input';
const ANSWER = 'llm.prediction.output';

/**
 * Reads an event of `diagnostics.streamLogs`. `null` for an event that says nothing about a load or a speed, because such
 * events carry prompts and answers. Only the facts of a log are kept, not its text. A request to a model shows that
 * its load has ended.
 */
export function toLogEvent(logEvent: unknown): LogEvent | null {
  const event = record(logEvent);
  const data = record(event?.['data']);
  const type = data?.['type'];
  if (type === REQUEST) {
    const requestTo = text(data?.['modelIdentifier']);
    return { kind: 'request', requestTo, atMs: number(event?.['timestamp']) };
  }
  if (type === ANSWER) {
    const answerOf = text(data?.['modelIdentifier']);
    return { kind: 'answer', answerOf, stats: statsOf(record(data?.['stats'])) };
  }
  if (data === null || type !== 'runtime.log') return null;
  return {
    kind: 'engine',
    instanceIdentifier: text(data['modelIdentifier']),
    reference: text(data['instanceReference']),
    pid: number(data['pid']),
    engine: {
      name: text(data['engineName']) ?? 'unknown',
      version: text(data['engineVersion']) ?? 'unknown',
    },
    facts: parseEngineLines(text(data['message']) ?? ''),
  };
}

/**
 * Removes prompts and answers from a message of the log stream. Accepts every message, because the
 * SDK would write the content of a message that it refuses into a warning.
 */
export function withoutContent(message: unknown): unknown {
  const log = record(record(message)?.['log']);
  const data = record(log?.['data']);
  const type = data?.['type'];
  if (type === 'runtime.log') return { type: 'log', log };
  if (type !== REQUEST && type !== ANSWER)
    return { type: 'log', log: { data: { type: 'dropped' } } };
  const stats = record(data?.['stats']);
  const figures = STATS.map((key) => [key, number(stats?.[key])] as const);
  const kept = {
    type,
    modelIdentifier: text(data?.['modelIdentifier']),
    ...(stats === null
      ? {}
      : { stats: { ...Object.fromEntries(figures), [DRAFT]: text(stats[DRAFT]) } }),
  };
  return { type: 'log', log: { timestamp: number(log?.['timestamp']), data: kept } };
}

/** The figures of an answer that are kept. */
const STATS = ['promptTokensCount', 'predictedTokensCount', 'tokensPerSecond'] as const;
/** Names the draft model, where one has guessed tokens. */
const DRAFT = 'usedDraftModelKey';

function statsOf(stats: Json | null): AnswerEvent['stats'] {
  if (stats === null || text(stats[DRAFT]) !== null) return null;
  const [promptTokens, predictedTokens, tokensPerSecond] = STATS.map(
    (key) => number(stats[key]) ?? 0,
  );
  if (promptTokens === undefined || !predictedTokens || !tokensPerSecond) return null;
  return { promptTokens, predictedTokens, tokensPerSecond };
}
