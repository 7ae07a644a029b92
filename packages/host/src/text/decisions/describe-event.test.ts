import type { Rejection } from '@mai/selector';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { describePlan } from './describe-decision.js';
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
  const chosen = {
    ...load(modelKey, 8192),
    candidateIndex: 0,
    displayName: modelKey,
    tier: 'large' as const,
    optionIndex: 1,
    instanceIdentifier: null,
    footprint: null,
    cost: null,
  };
  const steps = [
    {
      action: 'unload' as const,
      instanceIdentifier: 'mai/large',
      modelKey: 'large',
      why: 'superseded' as const,
    },
    { action: 'load' as const, modelKey, loadOption: chosen.loadOption },
  ];
  const plan = { steps, order: 'break-before-make' as const };
  expect(
    describePlan({ decision: 'switch', direction: 'down', chosen, plan, afterDrain: null }),
  ).toBe(words);
});
