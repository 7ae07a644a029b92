import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { qualityOf, type ModelQuality, type QualityFacts } from './quality-of.js';
import { rememberQualities } from './remember-qualities.js';

const FACTS: QualityFacts = {
  modelKey: 'qwen3-4b-2507',
  displayName: null,
  baseModels: [],
  architecture: 'qwen3',
  parameters: 4e9,
  activeParameters: 4e9,
  sizeLabel: '4B',
  quantization: 'Q4_K_M',
  fileName: null,
  capabilities: ['chat'],
  reasoning: null,
  quality: null,
};

function openStore() {
  const kept = new Map<string, { readonly answer: ModelQuality | null }>();
  const store = {
    get: (question: string) => kept.get(question) ?? null,
    set: (question: string, answer: { readonly answer: ModelQuality | null }) =>
      void kept.set(question, answer),
  };
  return { kept, judge: rememberQualities(store) };
}

test('gives the answer of qualityOf, and the kept answer at the next question', () => {
  const { kept, judge } = openStore();
  const answer = judge(FACTS, 'general');
  expect(answer).toEqual(qualityOf(FACTS, 'general'));
  const [[question] = ['']] = kept;
  kept.set(question, { answer: null });
  expect(judge(FACTS, 'general')).toBeNull();
});

test('an answer of null is kept, too', () => {
  const { kept, judge } = openStore();
  const unknown = { ...FACTS, modelKey: 'x', parameters: null, sizeLabel: null };
  expect(judge(unknown, 'general')).toBeNull();
  expect([...kept.values()]).toEqual([{ answer: null }]);
});

const CHANGES: readonly Partial<QualityFacts>[] = [
  { modelKey: 'qwen3-8b' },
  { displayName: 'Qwen3 4B Thinking 2507' },
  { baseModels: ['Llama 3.1 8B'] },
  { architecture: 'llama' },
  { parameters: 8e9 },
  { activeParameters: 1e9 },
  { sizeLabel: '8B' },
  { quantization: 'Q2_K' },
  { fileName: 'x-Q2_K.gguf' },
  { capabilities: ['chat', 'reasoning'] },
  { reasoning: false },
  {
    quality: { chat: null, reasoning: null, coding: null, tools: null, vision: null, general: 0.9 },
  },
];

test.each(CHANGES)('the quality of a model with %j is kept apart', (change) => {
  const { judge } = openStore();
  judge(FACTS, 'general');
  const changed = { ...FACTS, ...change };
  expect(judge(changed, 'general')).toEqual(qualityOf(changed, 'general'));
});

test('the qualities for another use and for another KV cache are kept apart', () => {
  const { kept, judge } = openStore();
  const small = { ...DEFAULT_LOAD_CONFIG, kvCacheTypeK: 'q4_0', kvCacheTypeV: 'q4_0' } as const;
  const answers = [judge(FACTS, 'general'), judge(FACTS, 'coding'), judge(FACTS, 'general', small)];
  expect(kept.size).toBe(3);
  expect(answers).toEqual([
    qualityOf(FACTS, 'general'),
    qualityOf(FACTS, 'coding'),
    qualityOf(FACTS, 'general', small),
  ]);
  expect(answers[2]?.quality).not.toBe(answers[0]?.quality);
});
