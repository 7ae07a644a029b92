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
  const calm = {
    yieldsChanged: false,
    wanted: true,
    isUnasked: false,
    isHeldBack: () => false,
  };

  it('is null while switches are put off, except in an emergency', () => {
    const held = { ...calm, isHeldBack: () => true };
    expect(reasonToAct(down, act('DWELL_OVER'), calm)).toBe('DWELL_OVER');
    expect(reasonToAct(down, act('DWELL_OVER'), held)).toBeNull();
    expect(reasonToAct(down, act('EMERGENCY'), held)).toBe('EMERGENCY');
  });

  it('does not depend on the verdict where a yield needs memory', () => {
    const wait: Verdict = { act: false, reason: 'DWELLING', waitMs: 1000, upgradeBelowRatio: 0.7 };
    expect(reasonToAct(down, wait, calm)).toBeNull();
    expect(reasonToAct(down, wait, { ...calm, yieldsChanged: true })).toBe('YIELD');
    const up = { ...down, direction: 'up' as const };
    expect(reasonToAct(up, wait, { ...calm, yieldsChanged: true })).toBeNull();
  });

  it.each([
    ['a load', { decision: 'load', direction: null }, null],
    ['a step up', { decision: 'switch', direction: 'up' }, null],
    ['a load with other settings', { decision: 'switch', direction: null }, null],
    ['a step down', { decision: 'switch', direction: 'down' }, 'DWELL_OVER'],
    ['a release', { decision: 'release', direction: null }, 'DWELL_OVER'],
  ] as const)('of %s where nobody has asked for a model', (_, change, reason) => {
    const selection = { ...down, ...change };
    const unasked = { ...calm, isUnasked: true };
    expect(reasonToAct(selection, act('DWELL_OVER'), unasked)).toBe(reason);
    expect(reasonToAct(selection, act('DWELL_OVER'), calm)).toBe('DWELL_OVER');
  });
});
