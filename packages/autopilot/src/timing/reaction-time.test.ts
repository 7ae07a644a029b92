import { DEFAULT_LOAD_CONFIG, type Footprint } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import { SELECTION as down } from '../../test/samples.js';
import { reactionMs, SETTLE_MS } from './reaction-time.js';

describe('reactionMs', () => {
  it('is the next round, the time until memory settles, and the load time of the chosen model', () => {
    const footprint: Footprint = {
      ram: { mappedBytes: 3e9, anonymousBytes: 1e9 },
      gpus: [{ deviceKey: 'gpu:0', bytes: 2e9 }],
      interval: null,
      growth: null,
      source: 'measured',
      confidence: 'high',
    };
    const loadOption = {
      loadConfig: DEFAULT_LOAD_CONFIG,
      footprint,
      guardrails: null,
      speed: null,
      quality: null,
    };
    const loading: Selection = {
      ...down,
      chosen: {
        candidateIndex: 0,
        modelKey: 'small',
        displayName: 'small',
        tier: 'small',
        optionIndex: 0,
        loadOption,
        instanceIdentifier: null,
        cost: null,
        footprint,
      },
      plan: { steps: [{ action: 'load', modelKey: 'small', loadOption }], order: null },
    };
    expect(reactionMs(down, 1000)).toBe(1000 + SETTLE_MS);
    expect(reactionMs(loading, 1000)).toBe(1000 + SETTLE_MS + 6000);
  });
});
