import { SELECTION as down } from '../../test/samples.js';
import type { Verdict } from '../timing/hysteresis-state.js';
import { reasonToAct } from './reason-to-act.js';

describe('reasonToAct', () => {
  const act = (reason: Verdict['reason']): Verdict => ({
    act: true,
    reason,
    waitMs: null,
    upgradeBelowRatio: 0.7,
  });
  const calm = { yieldsChanged: false, wanted: true, waiting: 0, isHeldBack: () => false };

  it('is held back by what was put off, but not in an emergency', () => {
    const held = { ...calm, isHeldBack: () => true };
    expect(reasonToAct(down, act('DWELL_OVER'), calm)).toBe('DWELL_OVER');
    expect(reasonToAct(down, act('DWELL_OVER'), held)).toBeNull();
    expect(reasonToAct(down, act('EMERGENCY'), held)).toBe('EMERGENCY');
  });

  it('does not wait for the verdict where somebody waits for a model or for memory', () => {
    const wait: Verdict = { act: false, reason: 'DWELLING', waitMs: 1000, upgradeBelowRatio: 0.7 };
    expect(reasonToAct(down, wait, calm)).toBeNull();
    expect(reasonToAct(down, wait, { ...calm, waiting: 1 })).toBe('REQUESTED');
    expect(reasonToAct(down, wait, { ...calm, yieldsChanged: true })).toBe('YIELD');
    const up = { ...down, direction: 'up' as const };
    expect(reasonToAct(up, wait, { ...calm, yieldsChanged: true })).toBeNull();
  });
});
