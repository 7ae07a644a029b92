import type { Capability } from '@mai/memory-ledger';
import { record, texts } from '../json-fields.js';
import type { DownloadedModel } from './model-types.js';

/** The capabilities that LM Studio states. It does not state coding and analysis. */
export type ModelCapability = Exclude<Capability, 'analysis' | 'coding'>;

/** The capabilities of a model by LM Studio's facts. */
export function capabilitiesOf({
  kind,
  vision,
  toolUse,
  reasoning,
}: Pick<DownloadedModel, 'kind' | 'vision' | 'toolUse' | 'reasoning'>): readonly ModelCapability[] {
  if (kind === 'embedding') return ['embedding'];
  return [
    'chat',
    ...(reasoning === true ? (['reasoning'] as const) : []),
    ...(toolUse ? (['tools'] as const) : []),
    ...(vision ? (['vision'] as const) : []),
  ];
}

/**
 * Whether a model can think, by `capabilities.reasoning` of `/api/v1/models`: `false`, or options such as `off`, `on` and
 * `low`. `null`: not stated. The forms are those in the tests of other clients of LM Studio 0.4.
 */
export function readThinking(stated: unknown): boolean | null {
  if (stated === false) return false;
  const options = texts(record(stated)?.['allowed_options']);
  return options.length === 0 ? null : options.some((option) => option !== 'off');
}
