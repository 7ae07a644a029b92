import { record, texts } from '../json-fields.js';

/**
 * Whether a model can think, by `capabilities.reasoning` of `/api/v1/models`: `false`, or options such as `off`, `on` and
 * `low`. `null`: not stated. The forms are those in the tests of other clients of LM Studio 0.4.
 */
export function readThinking(stated: unknown): boolean | null {
  if (stated === false) return false;
  const options = texts(record(stated)?.['allowed_options']);
  return options.length === 0 ? null : options.some((option) => option !== 'off');
}
