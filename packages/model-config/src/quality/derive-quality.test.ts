import fc from 'fast-check';
import { derivedQuality } from './full-precision-quality.js';
import { QUALITY_USES, type NamedModel, type QualityUse } from './model-facts.js';
import { publishedQuality } from './published-quality.js';

function derived(
  name: string,
  billions: number,
  part: Partial<NamedModel> = {},
  use: QualityUse = 'general',
) {
  const unknown = {
    baseModels: [],
    family: null,
    releaseDate: null,
    architecture: null,
    reasoning: null,
    vision: true,
  };
  const parameters = billions * 1e9;
  return derivedQuality({ names: [name], parameters, ...unknown, ...part }, use)?.quality ?? 0;
}

test('a model without a name has a quality between those of a small and a large model of its family', () => {
  const nameless = { names: [], family: 'GLM' };
  const [small, large] = [1, 100].map((billions) => derived('', billions, nameless));
  expect(small).toBeGreaterThan(0);
  expect(derived('', 10, nameless)).toBeGreaterThan(small ?? 1);
  expect(derived('', 10, nameless)).toBeLessThan(large ?? 0);
});

test('a model of an unknown family is not worse if it is larger or newer', () => {
  const date = (month: number) =>
    `${2023 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`;
  fc.assert(
    fc.property(
      fc.constantFrom(...QUALITY_USES),
      fc.double({ min: 0.1, max: 2000, noNaN: true }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.nat(60),
      fc.nat(12),
      fc.boolean(),
      (use, billions, factor, month, later, reasoning) => {
        const of = (size: number, age: number, thinks: boolean) =>
          derived('nobody/nothing', size, { releaseDate: date(age), reasoning: thinks }, use);
        const given = of(billions, month, reasoning);
        expect(of(billions * factor, month, reasoning)).toBeGreaterThanOrEqual(given - 1e-9);
        // The gain by thinking shrinks with the date for some uses, so only models that do not think are compared.
        const plain = of(billions, month, false);
        expect(of(billions, month + later, false)).toBeGreaterThanOrEqual(plain - 1e-9);
      },
    ),
    { numRuns: 300 },
  );
});

test.each(QUALITY_USES)(
  'a model newer than all published results counts as new as the newest: %s',
  (use) => {
    const of = (releaseDate: string, billions = 4) =>
      derived('nobody/nothing', billions, { releaseDate, reasoning: false }, use);
    const newest =
      publishedQuality()
        .models.map((model) => model.releaseDate)
        .sort()
        .at(-1) ?? '';
    expect(of('2029-01-01')).toBe(of(newest));
    expect(of('2025-06-01')).toBeLessThan(of(newest));
    // So a larger model of that time still is the better one.
    expect(of('2029-01-01', 30)).toBeGreaterThan(of('2029-01-01') + 0.05);
  },
);

test('the month in a name is the release date', () => {
  expect(derived('nobody/nothing-2601', 8)).toBe(
    derived('nobody/nothing', 8, { releaseDate: '2026-01-15' }),
  );
});

test('a model of an unknown family counts as old as the median known model, whatever words its name has', () => {
  const dates = publishedQuality()
    .models.map((model) => model.releaseDate)
    .sort();
  const releaseDate = dates[Math.floor((dates.length - 1) / 2)] ?? null;
  const expected = derived('nobody/nothing', 7, { releaseDate });
  // `v1.5` is a word of a Nemotron, `tiny` of an Aya, `openchat` of a model without a family.
  for (const name of ['nobody/nothing', 'vicuna-7b-v1.5', 'tiny-chat', 'my-chat', 'openchat-tune'])
    expect(derived(name, 7)).toBe(expected);
});

describe('without a release date, the architecture tells the month', () => {
  const of = (part: Partial<NamedModel>, name = 'nobody/nothing') => derived(name, 7, part);

  test.each([
    ['hunyuan-dense', '2025-07-15'],
    ['internlm2', '2024-01-15'],
    ['qwen35moe', '2026-02-15'],
    // As MLX spells it.
    ['qwen3_5_moe_text', '2026-02-15'],
    ['gemma3_text', '2025-03-15'],
  ])('%s: %s', (architecture, releaseDate) => {
    expect(of({ architecture })).toBe(of({ releaseDate }));
    expect(of({ architecture })).not.toBe(of({}));
  });

  test.each(['llama', 'qwen2', 'mystery', 'constructor', ''])('not "%s"', (architecture) => {
    expect(of({ architecture })).toBe(of({}));
  });

  test('unless the date is known, the name has a month, or a model of the family has a similar name', () => {
    const architecture = 'internlm2';
    const releaseDate = '2026-01-15';
    expect(of({ architecture, releaseDate })).toBe(of({ releaseDate }));
    expect(of({ architecture }, 'nobody/nothing-2601')).toBe(of({ releaseDate }));
    expect(of({ architecture }, 'gemma-3-7b')).toBe(of({}, 'gemma-3-7b'));
  });
});

test('a model whose name does not tell its family is as old as the median model of the family', () => {
  const dates = publishedQuality()
    .models.filter(({ family }) => family === 'Qwen3')
    .map((model) => model.releaseDate)
    .sort();
  const releaseDate = dates[Math.floor((dates.length - 1) / 2)] ?? null;
  const family = 'Qwen3';
  const expected = derived('nobody/nothing', 7, { family, releaseDate });
  // `next` is a word of a newer Qwen3.
  for (const name of ['nobody/nothing', 'the-next-coder'])
    expect(derived(name, 7, { family })).toBe(expected);
});

test('a model counts with both modes where similar models have both, and without thinking where they have none', () => {
  const gemma = (reasoning: boolean | null) => derived('gemma-4-26b-a4b', 25.2, { reasoning });
  expect(gemma(null)).toBeGreaterThan(gemma(false));
  expect(gemma(null)).toBeLessThan(gemma(true));
  const llama = (reasoning: boolean | null) =>
    derived('llama-3.1-70b-instruct', 70.6, { reasoning });
  expect(llama(null)).toBe(llama(false));
});

test('for reasoning, a model with both modes is judged by its thinking mode', () => {
  const qwen = (reasoning: boolean | 'both') =>
    derived('qwen3-72b', 72, { reasoning }, 'reasoning');
  expect(qwen('both')).toBe(qwen(true));
  expect(qwen('both')).toBeGreaterThan(qwen(false));
});
