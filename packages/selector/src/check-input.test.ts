import { DEFAULT_SELECTION_POLICY, type SelectionPolicy } from '@mai/memory-ledger';
import {
  optionWhenEmpty,
  orderByValue,
  selectModel,
  NO_REQUIREMENT,
  type SelectionInput,
} from './index.js';

const input = (changes: Partial<SelectionInput> = {}): SelectionInput => ({
  candidates: [],
  requirement: NO_REQUIREMENT,
  residents: [],
  policy: DEFAULT_SELECTION_POLICY,
  resources: {
    timestampMs: 0,
    observable: true,
    ram: { totalBytes: 1, availableBytes: 1, mappedCountsAsUsed: false },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: null, othersRatio: null },
  },
  ...changes,
});

const NUMBERS = Object.entries(DEFAULT_SELECTION_POLICY).flatMap(([name, value]) =>
  typeof value === 'number' ? [name] : [],
);

test.each(NUMBERS)('a policy with a %s that is no number of its range is refused', (name) => {
  const wrong = [NaN, -0.1, ...(name.includes('atio') ? [1.1, Infinity] : [])];
  for (const value of wrong) {
    const policy: SelectionPolicy = { ...DEFAULT_SELECTION_POLICY, [name]: value };
    const refused = expect.objectContaining({
      name: 'RangeError',
      message: expect.stringContaining(`policy.${name} must be a number`),
    });
    const { resources } = input();
    const candidate = {
      modelKey: 'a',
      displayName: 'a',
      tier: 'small',
      capabilities: [],
      downloaded: true,
      maxContextLengthTokens: null,
      refusal: null,
      expandedFrom: null,
      loadOptions: [],
      coolingDownUntilMs: null,
      observedGrowth: [],
    } as const;
    expect(() => selectModel(input({ policy }))).toThrow(refused);
    expect(() => orderByValue([], { resources, policy })).toThrow(refused);
    expect(() => optionWhenEmpty(candidate, { resources, policy })).toThrow(refused);
  }
});

test.each([
  ['minContextLengthTokens', { requirement: { ...NO_REQUIREMENT, minContextLengthTokens: NaN } }],
  ['minContextLengthTokens', { requirement: { ...NO_REQUIREMENT, minContextLengthTokens: -1 } }],
  ['upgradeMarginRatio', { upgradeMarginRatio: NaN }],
  ['upgradeMarginRatio', { upgradeMarginRatio: 1.5 }],
  ['longestMs', { callersWait: { longestMs: NaN, servesMs: 1 } }],
  ['servesMs', { callersWait: { longestMs: 1, servesMs: -1 } }],
])('a %s that is no number of its range is refused: %j', (name, changes) => {
  expect(() => selectModel(input(changes))).toThrow(new RegExp(`${name} must be a number`));
});

test('times may be infinite', () => {
  const policy = { ...DEFAULT_SELECTION_POLICY, coolDownMs: Infinity };
  expect(selectModel(input({ policy })).decision).toBe('none');
});
