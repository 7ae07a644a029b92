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

/**
 * Reads an event of `diagnostics.streamLogs`. `null` for an event that is not from an engine's log,
 * because other events carry prompts and answers. Only the facts of a log are kept, not its text.
 */
export function toEngineEvent(logEvent: unknown): EngineEvent | null {
  const data = record(record(logEvent)?.['data']);
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
  const isEngineLog = record(log?.['data'])?.['type'] === 'runtime.log';
  return { type: 'log', log: isEngineLog ? log : { data: { type: 'dropped' } } };
}
