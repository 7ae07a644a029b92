import { hostOf, loadedModel, modelOf } from '../../test/known-hosts.js';
import { loadOf } from './host-load.js';
import type { RecentSend } from './placement-input.js';

const model = loadedModel();
const send = (overrides: Partial<RecentSend> = {}): RecentSend => ({
  host: 'attic',
  modelKey: 'large',
  instanceIdentifier: 'mai:large',
  heartbeat: { epoch: 'epoch of attic', sequence: 10 },
  loading: false,
  ended: false,
  agoMs: 500,
  ...overrides,
});

describe('the load of a host', () => {
  it('is that of the newest heartbeat', () => {
    const load = loadOf(hostOf('attic', [model], { requests: { 'mai:large': 3 } }), [], 1);
    expect(load.ahead(model, 'mai:large')).toBe(3);
    expect(load.isAssumed).toBe(false);
  });

  it.each([
    { sequence: 9, counted: 0, why: 'the heartbeat is newer than the send' },
    { sequence: 10, counted: 1, why: 'no heartbeat has come since the send' },
  ])('counts $counted sends where $why', ({ sequence, counted }) => {
    const sent = send({ heartbeat: { epoch: 'epoch of attic', sequence } });
    const load = loadOf(hostOf('attic', [model], { requests: { 'mai:large': 3 } }), [sent], 1);
    expect(load.ahead(model, 'mai:large')).toBe(3 + counted);
  });

  it('does not count a send to an earlier epoch, because a restart ended it', () => {
    const sent = send({ heartbeat: { epoch: 'before', sequence: 99 } });
    expect(loadOf(hostOf('attic', [model]), [sent], 1).ahead(model, 'mai:large')).toBe(0);
  });

  it('no longer counts a send from before the first heartbeat once a heartbeat has come', () => {
    const load = loadOf(hostOf('attic', [model]), [send({ heartbeat: null })], 1);
    expect(load.ahead(model, 'mai:large')).toBe(0);
  });

  it.each([
    { requests: { 'mai:large': 3 }, ahead: 1, why: 'the resident is listed' },
    { requests: { one: 3 }, ahead: 2, why: 'the resident is one of those that are not listed' },
  ])('takes off the requests that have ended since the heartbeat, where $why', (one) => {
    const sent = send({ heartbeat: { epoch: 'epoch of attic', sequence: 9 }, ended: true });
    const host = hostOf('attic', [model], {
      requests: one.requests,
      heartbeat: { running: 7, queued: 0 },
    });
    expect(loadOf(host, [sent, sent], 1).ahead(model, 'mai:large')).toBe(one.ahead);
  });

  it('takes a resident for idle whose only request has ended since the heartbeat', () => {
    const host = hostOf('attic', [model], { requests: { 'mai:large': 1 } });
    const load = loadOf(host, [send({ ended: true })], 1);
    expect([load.ahead(model, 'mai:large'), load.othersBusy(null)]).toEqual([0, 0]);
  });

  it('counts a send without an instance identifier at the first resident of its model', () => {
    const load = loadOf(hostOf('attic', [model]), [send({ instanceIdentifier: null })], 1);
    expect(load.ahead(model, 'mai:large')).toBe(1);
    expect(load.ahead(loadedModel({ modelKey: 'other' }), 'mai:other')).toBe(0);
  });

  it('counts a send that waits for a load, also after newer heartbeats', () => {
    const cold = modelOf();
    const waiting = { instanceIdentifier: null, loading: true } as const;
    const sends = [
      send({ ...waiting, heartbeat: { epoch: 'epoch of attic', sequence: 1 }, agoMs: 9_000 }),
      send({ ...waiting, agoMs: 500 }),
    ];
    const load = loadOf(hostOf('attic', [cold]), sends, 1);
    expect(load.loading('large')).toEqual({ sinceMs: 9_000, requests: 2 });
    expect(load.loading('small')).toBeNull();
    expect(load.loadingKeys).toEqual(['large']);
  });

  it.each([
    { running: 5, queued: 0, unlisted: 0, why: 'nothing is left' },
    { running: 6, queued: 0, unlisted: 1, why: 'one is left' },
    { running: 6, queued: 9, unlisted: 2, why: 'the least busy resident of the list has two' },
  ])(
    'gives a resident that is not listed $unlisted requests where $why',
    ({ running, queued, unlisted }) => {
      const host = hostOf('attic', [model], {
        requests: { one: 3, two: 2 },
        heartbeat: { running, queued },
      });
      expect(loadOf(host, [], 1).ahead(model, 'mai:large')).toBe(unlisted);
    },
  );

  it('is assumed where the host tells none', () => {
    const silent = loadOf(hostOf('attic', [model], { heartbeat: null }), [], 1);
    const device = loadOf(hostOf('attic', [model], { known: { kind: 'lm-link' } }), [], 1);
    expect([silent.ahead(model, 'mai:large'), silent.isAssumed]).toEqual([1, true]);
    expect([device.ahead(model, 'mai:large'), device.isAssumed]).toEqual([1, true]);
  });

  it('counts the residents with requests beside one, from heartbeats and from sends', () => {
    const other = loadedModel({ modelKey: 'other' });
    const host = hostOf('attic', [model, other], { requests: { 'mai:large': 2 } });
    expect(loadOf(host, [], 1).othersBusy('mai:large')).toBe(0);
    expect(loadOf(host, [], 1).othersBusy(null)).toBe(1);
    const sent = send({ modelKey: 'other', instanceIdentifier: 'mai:other' });
    expect(loadOf(host, [sent], 1).othersBusy('mai:large')).toBe(1);
    expect(loadOf(host, [sent], 1).othersBusy(null)).toBe(2);
  });
});
