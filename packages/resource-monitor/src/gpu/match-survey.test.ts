import type { ListedGpu, SurveyedGpuFacts } from './match-survey.js';
import { gpusInSurvey, matchSurvey } from './match-survey.js';

const GIB = 1024 ** 3;

type Card = ListedGpu & { readonly availableBytes: number | null };

const card = (facts: Partial<Card> = {}): Card => ({
  name: null,
  vendor: 'amd',
  kind: 'discrete',
  memory: 'dedicated',
  totalBytes: 24 * GIB,
  availableBytes: 20 * GIB,
  ...facts,
});

const seen = (name: string | null, facts: Partial<SurveyedGpuFacts> = {}): SurveyedGpuFacts => ({
  name,
  integration: 'discrete',
  vendor: null,
  dedicatedBytes: null,
  totalBytes: null,
  ...facts,
});

const INTEL = card({ vendor: 'intel', kind: 'integrated', memory: 'shared', totalBytes: null });

describe('a GPU in a survey', () => {
  test.each([
    ['GeForce RTX 3090', 'NVIDIA GeForce RTX 3090'],
    ['Navi 31 [Radeon RX 7900 XT/7900 XTX/7900M]', 'AMD Radeon RX 7900 XTX (RADV NAVI31)'],
    ['DG2 [Arc A770]', 'Intel(R) Arc(TM) A770 Graphics (DG2)'],
    ['AlderLake-S GT1 [UHD Graphics 770]', 'Intel(R) UHD Graphics 770 (ADL-S GT1)'],
  ])('is found as %s and as %s, also beside another', (own, other) => {
    const gpus = [card({ name: 'Other 1', vendor: null }), card({ name: own, vendor: null })];
    expect([...matchSurvey(gpus, { gpus: [seen(other)] }).keys()]).toEqual([gpus[1]]);
  });

  test.each([
    ['of another model', card({ name: 'Radeon RX 6600' }), seen('AMD Radeon RX 7600')],
    ['whose name has no number', card({ name: 'Radeon' }), seen('AMD Radeon RX 7600')],
  ])('%s is not found by its name where two are possible', (_, own, other) => {
    expect(matchSurvey([own, card()], { gpus: [other] }).size).toBe(0);
  });

  test('is found by its size where the names say nothing', () => {
    const gpus = [card({ totalBytes: 8 * GIB }), card()];
    const large = seen('CARD', { dedicatedBytes: 23.98 * GIB });
    const small = seen('CARD', { dedicatedBytes: 8 * GIB });
    expect([...matchSurvey(gpus, { gpus: [large, small] }).values()]).toEqual([small, large]);
  });

  // The RTX 3080 was sold with 10 and with 12 GB.
  test('is the one of its size where two cards have one name, in whatever order the lists have them', () => {
    const name = 'NVIDIA GeForce RTX 3080';
    const gpus = [10, 12].map((gib) => card({ name, vendor: 'nvidia', totalBytes: gib * GIB }));
    const survey = [12, 10].map((gib) => seen(name, { dedicatedBytes: gib * GIB }));
    expect([...matchSurvey(gpus, { gpus: survey }).values()]).toEqual([survey[1], survey[0]]);
  });

  // Two lists of a card and an integrated GPU, with names that have nothing in common, were four GPUs.
  test('is found by its vendor, which its name states, where each list has the same number', () => {
    const gpus = [INTEL, card()];
    const survey = [
      seen('AMD Radeon RX 9070 (RADV GFX1201)'),
      seen('Intel(R) Graphics (ARL)', { integration: 'integrated' }),
    ];
    expect([...matchSurvey(gpus, { gpus: survey }).values()]).toEqual([survey[1], survey[0]]);
  });

  test('is no GPU of another vendor, even of the same size', () => {
    const own = card({ name: 'NVIDIA GeForce RTX 3070', vendor: 'nvidia', totalBytes: 8 * GIB });
    const other = seen('AMD Radeon RX 6600 (RADV NAVI23)', { dedicatedBytes: 8 * GIB });
    expect(matchSurvey([own], { gpus: [other] }).size).toBe(0);
  });
});

describe('the GPUs that the engine sees', () => {
  const large = card({ availableBytes: 20 * GIB });
  const small = card({ totalBytes: 8 * GIB, availableBytes: 8 * GIB });
  test.each([
    ['none', [], []],
    ['both', [seen('A'), seen('B')], [large, small]],
    ['one by its size', [seen('A', { dedicatedBytes: 24 * GIB })], [large]],
    ['one of them, which is taken to be the one with less free memory', [seen('A')], [small]],
    ['an integrated one only', [seen('A', { integration: 'integrated' })], []],
    ['one of another vendor', [seen('A', { vendor: 'nvidia' })], []],
  ])('are those that the survey lists: %s', (_, gpus, expected) => {
    expect(gpusInSurvey([large, small], { gpus })).toEqual(expected);
  });

  test('include the card beside an integrated GPU that the survey hides', () => {
    expect(gpusInSurvey([INTEL, large], { gpus: [seen('A')] })).toEqual([large]);
  });
});
