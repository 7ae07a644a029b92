import type { Rejection } from '@mai/selector';
import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import { describePlan, settingsOf } from './describe-decision.js';
import { describeReplan } from './describe-event.js';

const MIB = 2 ** 20;
const load = (modelKey: string, contextLengthTokens: number) => ({
  modelKey,
  loadOption: {
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens },
    footprint: null,
    guardrails: null,
    speed: null,
    quality: null,
  },
});
const chose = (modelKey: string, contextLengthTokens = 8192) => ({
  selection: { chosen: load(modelKey, contextLengthTokens) },
});
const instead = (modelKey: string, rejection: Rejection, contextLengthTokens = 8192) => ({
  selection: {
    chosen: load(modelKey, contextLengthTokens),
    rejected: [{ modelKey: 'large', candidateIndex: 0, options: [], rejection }],
  },
});
const TOO_LARGE: Rejection = {
  code: 'INSUFFICIENT_RAM',
  shortfallBytes: 104 * MIB,
  neededBytes: 648 * MIB,
  allowedBytes: 544 * MIB,
  growthBytes: 0,
};

test('a switch that loads another model than planned says why', () => {
  expect(
    describeReplan({ first: chose('large'), last: instead('small', TOO_LARGE), failures: [] }),
  ).toBe(
    'The planned large with 8,192 tokens of context no longer fitted after the unload: it needs 104 MiB more RAM (takes 648 MiB, allowed 544 MiB).',
  );
});

test('a switch that loads the planned model says nothing of its plan', () => {
  const planned: Rejection = { code: 'PREFERRED_CANDIDATE_FITS', preferredModelKey: 'small' };
  expect(
    describeReplan({ first: chose('small'), last: instead('small', TOO_LARGE), failures: [] }),
  ).toBeNull();
  expect(
    describeReplan({ first: chose('large'), last: instead('small', planned), failures: [] }),
  ).toBeNull();
});

test('a switch that loads the planned model with a shorter context than planned says so', () => {
  const last = instead('large', TOO_LARGE, 4096);
  expect(describeReplan({ first: chose('large'), last, failures: [] })).toBe(
    'The planned large with 8,192 tokens of context no longer fitted after the unload. It fits with 4,096 tokens of context.',
  );
});

test.each([
  ['large', 'step down: load large again with 8,192 tokens of context, the best model that fits'],
  ['small', 'step down to small, the best model that fits'],
])('a step down from large to %s is described as: %s', (modelKey, words) => {
  const chosen = chosenOf(modelKey, 8192);
  const steps = [
    UNLOAD_LARGE,
    { action: 'load' as const, modelKey, loadOption: chosen.loadOption },
  ];
  const plan = { steps, order: 'break-before-make' as const };
  const selection = { direction: 'down', chosen, plan, afterDrain: null, notes: [] } as const;
  expect(describePlan({ ...selection, decision: 'switch' })).toBe(words);
});

test('a step within a model names what it moves to the CPU', () => {
  const { loadOption, ...chosen } = chosenOf('large', 8192);
  const settingsWith = (change: Partial<LoadConfig>): string =>
    settingsOf({
      ...chosen,
      loadOption: { ...loadOption, loadConfig: { ...loadOption.loadConfig, ...change } },
    });
  expect(settingsWith({ cpuExpertRatio: 0.5 })).toBe(
    ' with 8,192 tokens of context and 50 % of the expert layers on the CPU',
  );
  expect(settingsWith({ kvCacheTypeK: 'q8_0', cpuExpertRatio: 1, offloadRatio: 0.25 })).toBe(
    ' with 8,192 tokens of context, the KV cache in q8_0, 100 % of the expert layers on the CPU and 25 % of the layers on the GPU',
  );
  expect(settingsWith({ cpuExpertRatio: 0, offloadRatio: 1 })).toBe(
    ' with 8,192 tokens of context',
  );
});

test('a load with a longer context and the unload of the shorter copy are described', () => {
  const chosen = chosenOf('large', 20_480);
  const steps = [{ action: 'load' as const, modelKey: 'large', loadOption: chosen.loadOption }];
  const rest = { chosen, afterDrain: null } as const;
  const room = { code: 'ROOM_TO_GROW', neededTokens: 10_240, offeredTokens: 20_480 } as const;
  const order = 'make-before-break' as const;
  expect(
    describePlan({
      ...rest,
      decision: 'switch',
      direction: 'up',
      plan: { steps, order },
      notes: [room],
    }),
  ).toBe('step up: load large again with 20,480 tokens of context, the best model that fits');
  expect(
    describePlan({
      ...rest,
      decision: 'keep',
      direction: null,
      chosen: { ...chosen, instanceIdentifier: 'mai/large#2' },
      plan: { steps: [UNLOAD_LARGE], order },
      notes: [],
    }),
  ).toBe('unload mai/large, which mai/large#2 replaces');
});

const UNLOAD_LARGE = {
  action: 'unload' as const,
  instanceIdentifier: 'mai/large',
  modelKey: 'large',
  why: 'superseded' as const,
};

function chosenOf(modelKey: string, contextLengthTokens: number) {
  return {
    ...load(modelKey, contextLengthTokens),
    candidateIndex: 0,
    displayName: modelKey,
    tier: 'large' as const,
    optionIndex: 1,
    instanceIdentifier: null,
    footprint: null,
    cost: null,
  };
}
