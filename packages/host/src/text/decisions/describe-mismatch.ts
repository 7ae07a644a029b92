import { formatCount, formatDuration } from '../../words.js';

const WORDS: Readonly<Record<string, string>> = {
  identifier: 'the identifier',
  contextLengthTokens: 'the context length in tokens',
  parallelSequences: 'the number of parallel sequences',
  offloadRatio: 'the share of layers on the GPU',
  kvCacheTypeK: 'the KV cache type of the keys',
  kvCacheTypeV: 'the KV cache type of the values',
  flashAttention: 'flash attention',
  cpuExpertRatio: 'the share of expert layers on the CPU',
  keepModelInMemory: 'keeping the model in memory',
  ttlMs: 'the idle time before unloading',
};

/** `The runtime chose otherwise: the context length in tokens is 4,096, not 16,384 as asked.` */
export function describeMismatch({
  field,
  asked,
  got,
}: {
  readonly field: string;
  readonly asked: unknown;
  readonly got: unknown;
}): string {
  const show = (value: unknown) => valueInWords(field, value);
  return `The runtime chose otherwise: ${WORDS[field] ?? field} is ${show(got)}, not ${show(asked)} as asked.`;
}

function valueInWords(field: string, value: unknown): string {
  if (value === null) return 'its default';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (field === 'ttlMs') return formatDuration(value);
  return Number.isInteger(value) ? formatCount(value) : String(Number(value.toFixed(2)));
}
