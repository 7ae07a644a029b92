import { SELECTION } from '../../test/samples.js';
import { stepForRequest } from './reason-to-serve.js';

describe('stepForRequest', () => {
  const target = { chain: null, modelKey: 'coder', instanceIdentifier: null };
  const turn = { key: 'coder', target, requests: [] };
  const free = { mayLoad: true, isHeldBack: false, mayFitAgain: false };
  const waits = {
    ...SELECTION,
    decision: 'wait' as const,
    afterDrain: {
      candidateIndex: 0,
      modelKey: 'coder',
      optionIndex: 0,
      waitsFor: ['mai/large'],
      plan: { steps: [], order: null },
    },
  };

  it('loads for a caller without a dwell time', () => {
    expect(stepForRequest(SELECTION, turn, free)).toBe('load');
    expect(stepForRequest({ ...SELECTION, decision: 'load' }, turn, free)).toBe('load');
  });

  it('drains where only a busy instance is in the way', () => {
    expect(stepForRequest(waits, turn, free)).toBe('drain');
  });

  it.each(['keep', 'none', 'release'] as const)('answers the caller on %s', (decision) => {
    expect(stepForRequest({ ...SELECTION, decision }, turn, free)).toBe('answer');
  });

  it('waits where a model fitted a moment ago, unless no load is allowed', () => {
    const none = { ...SELECTION, decision: 'none' as const };
    const mayFitAgain = true;
    expect(stepForRequest(none, turn, { ...free, mayFitAgain })).toBe('wait');
    expect(stepForRequest(none, turn, { ...free, mayFitAgain, isHeldBack: true })).toBe('answer');
    expect(stepForRequest(none, turn, { ...free, mayFitAgain, mayLoad: false })).toBe('answer');
  });

  it('answers the caller while loads are held back, in a dry run, and for a named resident', () => {
    expect(stepForRequest(SELECTION, turn, { ...free, isHeldBack: true })).toBe('answer');
    expect(stepForRequest(waits, turn, { ...free, mayLoad: false })).toBe('answer');
    const named = { ...turn, target: { ...target, instanceIdentifier: 'large' } };
    expect(stepForRequest(SELECTION, named, free)).toBe('answer');
  });
});
