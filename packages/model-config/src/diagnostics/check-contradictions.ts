import { isQuantizedCacheType, KV_CACHE_TYPES } from '@mai/memory-ledger';
import { parseSizeBytes } from '../format/quantities.js';
import { SWITCHING_DEFAULTS } from '../format/switching-defaults.js';
import { type Finding, type PathStep, quote } from './issue.js';
import { listOf, valueAt } from './raw-value.js';

// Rules about two valid values that contradict each other. The rules read the raw value and skip
// values of the wrong type, so that their findings can be reported together with the schema's.

// Minimum distance of the upgrade threshold below the limit, in percentage points.
const UPGRADE_GAP_PERCENT = 2;

/** Finds values that contradict each other. */
export function checkContradictions(raw: unknown): Finding[] {
  return [...models(raw), ...switching(raw)];
}

function models(raw: unknown): Finding[] {
  return listOf(valueAt(raw, ['models'])).flatMap((_, index) => {
    const path = ['models', index];
    const read = (...steps: PathStep[]): unknown => valueAt(raw, [...path, ...steps]);
    const findings: Finding[] = [];
    const capabilities = listOf(read('capabilities'));
    for (const [position, capability] of capabilities.entries()) {
      if (capabilities.indexOf(capability) < position) {
        findings.push({
          code: 'DUPLICATE',
          path: [...path, 'capabilities', position],
          at: 'value',
          message: `${quote(capability)} is in the list already`,
          suggestion: 'remove it',
        });
      }
    }
    const [window, output] = [read('context_window'), read('max_output_tokens')];
    if (typeof window === 'number' && typeof output === 'number' && output > window) {
      findings.push(
        contradiction(
          [...path, 'max_output_tokens'],
          `max_output_tokens (${output}) is more than context_window (${window})`,
          'the answer is part of the context, so lower max_output_tokens, or raise context_window',
        ),
      );
    }
    const typeV = read('load', 'kv_cache', 'v') ?? read('load', 'kv_cache');
    const cacheV = KV_CACHE_TYPES.find((type) => type === typeV);
    if (
      cacheV !== undefined &&
      isQuantizedCacheType(cacheV) &&
      read('load', 'flash_attention') === false
    ) {
      findings.push(
        contradiction(
          [...path, 'load', 'flash_attention'],
          `a ${cacheV} V cache needs flash attention, and flash_attention is false here`,
          'set flash_attention: true, or use f16 for the V cache',
        ),
      );
    }
    findings.push(...simulation(path, read));
    return findings;
  });
}

function simulation(path: readonly PathStep[], read: (...steps: PathStep[]) => unknown): Finding[] {
  const check = (steps: readonly PathStep[]): Finding[] => {
    const [footprint, vram] = [read(...steps, 'footprint'), read(...steps, 'vram')];
    if (typeof footprint !== 'string' || typeof vram !== 'string') return [];
    const [footprintBytes, vramBytes] = [parseSizeBytes(footprint), parseSizeBytes(vram)];
    return footprintBytes !== null && vramBytes !== null && vramBytes > footprintBytes
      ? [
          contradiction(
            [...path, ...steps, 'vram'],
            `vram (${vram}) is more than footprint (${footprint})`,
            'vram is a part of footprint, so lower vram, or raise footprint',
          ),
        ]
      : [];
  };
  const rungs = listOf(read('simulate', 'rungs'));
  return [
    ...check(['simulate']),
    ...rungs.flatMap((_, index) => check(['simulate', 'rungs', index])),
  ];
}

type PercentField = keyof typeof SWITCHING_DEFAULTS & `${string}percent${string}`;

function switching(raw: unknown): Finding[] {
  const given = (field: PercentField): number | null => {
    const value = valueAt(raw, ['switching', field]);
    return typeof value === 'number' ? value : null;
  };
  const percent = (field: PercentField): number => given(field) ?? SWITCHING_DEFAULTS[field];
  // A check is skipped if a value is not a percentage, because the schema reports that value.
  const sound = (...fields: PercentField[]): boolean =>
    fields.every((field) => isPercentage(field, percent(field)));
  const shown = (field: PercentField): string =>
    `${field} (${percent(field)}${given(field) === null ? ', the default' : ''})`;
  /** The path of `first` if the file sets this field, else of `second`. */
  const place = (first: PercentField, second: PercentField): PathStep[] => [
    'switching',
    given(first) === null ? second : first,
  ];

  const findings: Finding[] = [];
  const [memory, upgrade] = ['memory_percent', 'upgrade_below_percent_min'] as const;
  const highestUpgrade = rounded(percent(memory) - UPGRADE_GAP_PERCENT);
  if (sound(upgrade, memory) && percent(upgrade) > highestUpgrade) {
    findings.push(
      contradiction(
        place(upgrade, memory),
        `${shown(upgrade)} must be at least ${UPGRADE_GAP_PERCENT} below ${shown(memory)}`,
        highestUpgrade >= 0 ? `set ${upgrade} to ${highestUpgrade} or less` : `raise ${memory}`,
      ),
    );
  }
  const above = (field: PercentField, ...limits: PercentField[]): void => {
    const crossed = limits.filter(
      (limit) => sound(field, limit) && percent(field) <= percent(limit),
    );
    const highest = Math.max(...crossed.map(percent));
    for (const limit of crossed) {
      findings.push(
        contradiction(
          place(field, limit),
          `${shown(field)} must be above ${shown(limit)}`,
          highest < 100
            ? `set ${field} above ${highest}, at most 100`
            : `lower ${limit}, so that there is room above it`,
        ),
      );
    }
  };
  above('hard_limit_percent', 'memory_percent', 'vram_percent');
  above('unified_hard_limit_percent', 'memory_percent');
  return findings;
}

/** Without rounding, 8.3 - 2 would be 6.300000000000001. */
function rounded(percent: number): number {
  return Number(percent.toFixed(6));
}

function isPercentage(field: PercentField, percent: number): boolean {
  return (
    (percent > 0 || (percent === 0 && field === 'upgrade_below_percent_min')) && percent <= 100
  );
}

function contradiction(path: readonly PathStep[], message: string, suggestion: string): Finding {
  return { code: 'CONTRADICTION', path, at: 'value', message, suggestion };
}
