import fc from 'fast-check';
import { parse } from 'yaml';
import { EXAMPLE } from '../../test/example-file.js';
import { parseDurationMs, parseSizeBytes } from '../format/quantities.js';
import { validateFile } from '../parse/validate-file.js';
import { checkContradictions } from './check-contradictions.js';
import { checkReferences } from './check-references.js';
import type { Finding, PathStep } from './issue.js';
import { valueAt } from './raw-value.js';

const findingsOf = (raw: unknown): Finding[] => [
  ...validateFile(raw).findings,
  ...checkReferences(raw),
  ...checkContradictions(raw),
];

type Holder = Record<PathStep, unknown>;
const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** A copy of the file in which `edit` has changed the list or map that contains `path`. */
function edited(
  file: unknown,
  path: readonly PathStep[],
  edit: (holder: Holder, step: PathStep) => void,
): unknown {
  const copy: unknown = structuredClone(file);
  const holder = valueAt(copy, path.slice(0, -1));
  const step = path.at(-1);
  if (isHolder(holder) && step !== undefined) edit(holder, step);
  return copy;
}

const withValue = (file: unknown, path: readonly PathStep[], value: unknown): unknown =>
  edited(file, path, (holder, step) => {
    holder[step] = value;
  });

/** The files that result from following a finding's suggestion, each with the corrected path. */
function corrections(
  file: unknown,
  { path, at, suggestion }: Finding,
): (readonly [corrected: unknown, path: readonly PathStep[]])[] {
  const meant = /^did you mean (".*")\?$/.exec(suggestion ?? '')?.[1];
  if (meant !== undefined) {
    const name = String(JSON.parse(meant));
    if (at === 'value') return [[withValue(file, path, name), path]];
    const renamed = edited(file, path, (holder, step) => {
      expect(holder).not.toHaveProperty([name]);
      holder[name] = holder[step];
      delete holder[step];
    });
    return [[renamed, [...path.slice(0, -1), name]]];
  }
  const bound = /^set (\w+) (?:to (\S+) or less|above (\S+), at most 100)$/.exec(suggestion ?? '');
  if (bound !== null) {
    const [, field = '', most, floor] = bound;
    const value = most === undefined ? (Number(floor) + 100) / 2 : Number(most);
    return [[withValue(file, ['switching', field], value), path]];
  }
  const written = /^write (.*\d.*)$/.exec(suggestion ?? '')?.[1];
  return (written ?? '')
    .replace(/^version: /, '')
    .split(' or ')
    .filter((offer) => offer !== '')
    .map((offer) => offer.replace(/ \(.*\)$/, ''))
    .map((offer) => [
      withValue(file, path, Number.isNaN(Number(offer)) ? offer : Number(offer)),
      path,
    ]);
}

const places: readonly (readonly PathStep[])[] = [
  ['version'],
  ...['key', 'category', 'min_memory_gb', 'context_window', 'capabilities'].map((field) => [
    'models',
    0,
    field,
  ]),
  ['models', 0, 'capabilities', 1],
  ['models', 0, 'load', 'ttl'],
  ['models', 0, 'load', 'gpu_offload'],
  ['models', 1, 'load', 'kv_cache', 'k'],
  ['models', 1, 'load', 'parallel'],
  ['models', 1, 'simulate', 'footprint'],
  ['models', 1, 'simulate', 'load_seconds'],
  ['models', 1, 'simulate', 'quality'],
  ['fallback_chains', 'default', 0],
  ['fallback_chains', 'default', 2],
  ['fallback_chains', 'coding', 1],
  ['switching', 'memory_percent'],
  ['switching', 'vram_percent'],
  ['switching', 'upgrade_below_percent_min'],
  ['switching', 'hard_limit_percent'],
  ['switching', 'dwell'],
  ['switching', 'min_headroom'],
  ['switching', 'foreign'],
  ['rules', 0, 'then', 'tier'],
  ['pins', 0],
];

const wrongValue = fc.oneof(
  fc.constant(null),
  fc.double({ min: 0, max: 200, noNaN: true }),
  fc.integer({ min: -5, max: 2 ** 42 }),
  fc.double(),
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constantFrom(1.5, 0.25, 1e21, 1e-7)),
      fc.constantFrom('', ' '),
      fc.constantFrom(
        '',
        '%',
        ' percent',
        'GB',
        'gigs',
        'MiB',
        'sec',
        'min',
        'msec',
        'weeks',
        'k',
        'TiB',
      ),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '1 hour 30 mins',
    '5 months',
    '500 milliseconds',
    '2 days, 3 h',
    '1.5.2',
    '1,5GiB',
  ),
  fc.constantFrom('chatt', 'reasonin', 'midium', 'Small', 'observ', 'q8', 'f17', 'evict_idle'),
  fc.constantFrom('chain:codin', 'chain:defalt', 'downloaded:chatt', 'downloaded:chat:larg'),
  fc.constantFrom('qwen/qwen3-4b-2508', 'qwen/qwen3-1.7', 'qwen3-1.7b', 'downloaded:chat'),
);

const wrongKey = fc.constantFrom(
  'categry',
  'tier',
  'name',
  'id',
  'model',
  'dispaly_name',
  'context_length',
  'max_tokens',
  'coldown',
  'cooldown',
  'hard_limit',
  'headroom',
  'chains',
  'size',
  'memory_percentt',
);
const maps: readonly (readonly PathStep[])[] = [
  [],
  ['models', 0],
  ['models', 1, 'load'],
  ['switching'],
];

describe('a correction that a finding offers', () => {
  it('is valid: the corrected file has no finding at this place', () => {
    const original: unknown = parse(EXAMPLE);
    let offered = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...places), wrongValue), { minLength: 1, maxLength: 3 }),
        fc.option(fc.tuple(fc.constantFrom(...maps), wrongKey), { nil: null }),
        (values, key) => {
          let file: unknown = original;
          for (const [path, value] of values) file = withValue(file, path, value);
          if (key !== null) {
            file = edited(file, [...key[0], key[1]], (holder, step) => {
              holder[step] = 'x';
            });
          }
          for (const finding of findingsOf(file)) {
            for (const [corrected, path] of corrections(file, finding)) {
              offered += 1;
              const left = findingsOf(corrected).filter(
                ({ path: place, at, code }) =>
                  JSON.stringify(place) === JSON.stringify(path) &&
                  (finding.at === 'value'
                    ? code !== 'CONTRADICTION' || finding.code === code
                    : at === 'key'),
              );
              expect([finding.suggestion, left]).toEqual([finding.suggestion, []]);
            }
          }
        },
      ),
      { numRuns: 2500 },
    );
    expect(offered).toBeGreaterThan(200);
  });

  const suggestionFor = (path: readonly PathStep[], value: unknown): string | null | undefined =>
    findingsOf(withValue(parse(EXAMPLE), path, value))[0]?.suggestion;

  it.each([
    [8192, 'write 8192MiB (8GiB)'],
    ['8192', 'write 8192MiB (8GiB)'],
    [512, 'write 512MiB or 512GiB'],
    [4, 'write 4GiB'],
    [1.5, 'write 1.5GiB'],
    [1_073_741_824, 'write 1073741824B (1GiB)'],
    [0, 'write 0B'],
    [0.5, 'write 0.5GiB'],
    [0.001, 'add a unit: B, KiB, MiB, GiB or TiB'],
    ['8 gigs', 'write a number and a unit: B, KiB, MiB, GiB or TiB'],
    ['8192TiB', 'write a smaller size'],
    ['much', null],
    [null, 'write a value, or remove the line'],
  ])('is a plausible size for min_headroom: %j', (value, suggestion) => {
    expect(suggestionFor(['switching', 'min_headroom'], value)).toBe(suggestion);
  });

  it('is a plausible size for each bare number', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.0625, max: 2 ** 39, noNaN: true }), (number) => {
        const rounded = Number(number.toPrecision(4));
        const suggestion = suggestionFor(['switching', 'min_headroom'], rounded) ?? '';
        for (const [, text = ''] of suggestion.matchAll(/(\S+B)\b/g)) {
          const bytes = parseSizeBytes(text.replace('(', '')) ?? 0;
          expect(bytes).toBeGreaterThanOrEqual(64 * 1024 ** 2);
          expect(bytes).toBeLessThan(1024 ** 4);
        }
        expect(suggestion).toMatch(/^write /);
      }),
    );
  });

  it.each([
    [20, 'write 20s'],
    ['20', 'write 20s'],
    [20_000, 'write 20000ms (20s) or 20000s'],
    [7200, 'write 7200ms or 7200s (2h)'],
    [90_000_000, 'add a unit: ms, s, m, h or d'],
    [0, 'write 0s'],
    ['20 sec', 'write 20s'],
    ['500 milliseconds', 'write 500ms'],
    ['1 hour 30 mins', 'write 1h30m'],
    ['1 hour and 30 minutes', 'write 1h30m'],
    ['5 months', 'write numbers and units: ms, s, m, h or d'],
    ['99999999999999 days', 'write a shorter time'],
    ['soon', null],
  ])('is a plausible duration for dwell: %j', (value, suggestion) => {
    expect(suggestionFor(['switching', 'dwell'], value)).toBe(suggestion);
    const [, text] = /^write (\S+)$/.exec(suggestion ?? '') ?? [];
    if (text !== undefined) expect(parseDurationMs(text)).not.toBeNull();
  });

  it.each<[PathStep[], unknown, string | null]>([
    [['switching', 'memory_percent'], '82.5%', 'write 82.5'],
    [['switching', 'memory_percent'], '150%', null],
    [['models', 1, 'simulate', 'quality'], '74%', 'write 0.74'],
    [['models', 1, 'simulate', 'load_seconds'], '9 sec', 'write 9'],
    [['models', 0, 'min_memory_gb'], '512 MiB', 'write 0.5'],
    [['models', 0, 'context_window'], '4 GB', null],
    [['models', 0, 'context_window'], '4096.5', null],
    [['models', 0, 'context_window'], '8192', 'write 8192'],
    [['models', 0, 'key'], null, 'write a value'],
    [['models', 0, 'load', 'ttl'], '0 sec', 'write a longer time, or remove the line'],
  ])('for the field %j with the value %j is %j', (path, value, suggestion) => {
    expect(suggestionFor(path, value)).toBe(suggestion);
  });

  it.each<[PathStep[], unknown, string]>([
    [['models', 0, 'capabilities'], ['chat', 'chatt'], '"chat"'],
    [['fallback_chains', 'default'], ['qwen/qwen3-1.7b', 'qwen/qwen3-1.7'], '"qwen/qwen3-1.7b"'],
    [['fallback_chains', 'coding'], ['qwen/qwen3-1.7b', 'chain:codin'], '"chain:coding"'],
    [['pins'], ['qwen/qwen3-1.7b', 'qwen3-1.7b'], '"qwen/qwen3-1.7b"'],
    [['models', 0], { key: 'a', id: 'b' }, '"key"'],
  ])('makes no duplicate and no cycle (%j: %j)', (path, value, name) => {
    const findings = findingsOf(withValue(parse(EXAMPLE), path, value));
    const suggestions = findings.map(({ suggestion }) => suggestion);
    expect(suggestions).not.toContain(`did you mean ${name}?`);
  });
});
