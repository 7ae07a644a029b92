import type { ChainStep, Models, PoolChange } from '../api/api.generated.js';
import { ScriptedMachine } from '../../test/server/scripted-machine.js';
import { besideVerdict, verdictOf, type JudgedChain } from './verdict.js';

const { chain, models } = new ScriptedMachine().models();
const [anyStep] = chain.steps;
const [anyModel] = models;
const [anyPool] = chain.pools;
if (anyStep === undefined || anyModel === undefined || anyPool === undefined) {
  throw new Error('The scripted machine has no model or no pool.');
}
const step = (facts: Partial<ChainStep>): ChainStep => ({
  ...anyStep,
  verdict: 'chosen',
  rejection: null,
  loaded: true,
  tradeOffs: null,
  ...facts,
});
const model = (facts: Partial<Models['models'][number]>) => ({ ...anyModel, ...facts });
const pool = (label: string, useAfterBytes: number): PoolChange => ({
  ...anyPool,
  label,
  useAfterBytes,
  limitBytes: 100,
});
const judged = (decision: JudgedChain['decision'], ...pools: PoolChange[]): JudgedChain => ({
  decision,
  pools,
});
const TOO_LARGE = { code: 'INSUFFICIENT_RAM', text: 'needs 3.0 GiB more RAM' };
const TRADE_OFFS = 'an 8-bit KV cache';

describe('the verdict on a model of the chain', () => {
  test.each([
    [step({}), judged('keep', pool('RAM', 100)), 'In use'],
    [step({}), judged('wait'), 'In use'],
    [step({ tradeOffs: TRADE_OFFS }), judged('keep'), 'In use with an 8-bit KV cache'],
    [
      step({}),
      judged('keep', pool('RAM', 101), pool('VRAM', 100)),
      'In use, although the use of RAM exceeds the limit for loads',
    ],
    [
      step({}),
      judged('keep', pool('RAM', 101), pool('VRAM', 101)),
      'In use, although the use of RAM and VRAM exceeds the limit for loads',
    ],
    [step({ loaded: false }), judged('load', pool('RAM', 90)), 'Chosen'],
    [
      step({ tradeOffs: TRADE_OFFS }),
      judged('switch'),
      'Chosen with an 8-bit KV cache; now loaded with other settings',
    ],
    [
      step({ verdict: 'fits', loaded: false }),
      judged('keep'),
      'Fits; a model before it is preferred',
    ],
    [step({ verdict: 'fits' }), judged('keep'), 'Loaded; a model before it is preferred'],
    [
      step({ verdict: 'rejected', rejection: TOO_LARGE }),
      judged('none'),
      'Loaded, but would not be chosen now. Needs 3.0 GiB more RAM',
    ],
    [
      step({ verdict: 'rejected', rejection: TOO_LARGE, loaded: false }),
      judged('none'),
      'Needs 3.0 GiB more RAM',
    ],
  ])('%#: says whether it is loaded, and its reason', (one, chain, words) => {
    expect(verdictOf(one, chain)).toBe(words);
  });
});

describe('the verdict on a model outside of the chain', () => {
  const cheaper = anyModel.footprint && {
    loadConfig: anyModel.loadConfig,
    footprint: anyModel.footprint,
    tradeOffs: TRADE_OFFS,
  };
  test.each([
    [model({ fits: true, loaded: false }), 'Fits'],
    [model({ fits: true, loaded: true }), 'Loaded'],
    [model({ fits: false, loaded: false, cheaper }), 'Fits with an 8-bit KV cache'],
    [
      model({ fits: false, loaded: true, cheaper, rejection: TOO_LARGE }),
      'Loaded, but would not be chosen now. Needs 3.0 GiB more RAM',
    ],
    [
      model({ fits: false, loaded: false, cheaper: null, rejection: TOO_LARGE }),
      'Needs 3.0 GiB more RAM',
    ],
    [model({ fits: false, loaded: false, cheaper: null, rejection: null }), 'Does not fit'],
  ])('%#: says whether it is loaded, and its reason', (one, words) => {
    expect(besideVerdict(one)).toBe(words);
  });
});
