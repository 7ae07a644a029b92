import { number, record, text } from '../wire/json-fields.js';
import { type EngineFact, parseEngineLines } from './parse-engine-line.js';

/** An event of an engine's log, without its text. */
export interface EngineEvent {
  readonly instanceIdentifier: string | null;
  readonly reference: string | null;
  readonly pid: number | null;
  readonly engine: { readonly name: string; readonly version: string };
  readonly facts: readonly EngineFact[];
}

/** A request to the instance with this identifier, without its content. */
export interface RequestEvent {
  readonly requestTo: string | null;
}

const REQUEST = 'llm.prediction.input';

/**
 * Reads an event of `diagnostics.streamLogs`. `null` for an event that says nothing about a load, because such
 * events carry prompts and answers. Only the facts of a log are kept, not its text. A request to a model shows that
 * its load has ended.
 */
export function toEngineEvent(logEvent: unknown): EngineEvent | RequestEvent | null {
  const data = record(record(logEvent)?.['data']);
  if (data?.['type'] === REQUEST) return { requestTo: text(data['modelIdentifier']) };
  if (data?.['type'] !== 'runtime.log') return null;
  return {
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
  if (data?.['type'] === 'runtime.log') return { type: 'log', log };
  const kept =
    data?.['type'] === REQUEST
      ? { type: REQUEST, modelIdentifier: text(data['modelIdentifier']) }
      : { type: 'dropped' };
  return { type: 'log', log: { data: kept } };
}
