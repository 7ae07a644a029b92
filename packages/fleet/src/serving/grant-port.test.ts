import { fakeLocal, type FakeLocal } from '../../test/fake-local.js';
import type { LeaseRequest } from '../leases/lease-types.js';
import { createGrantPort } from './grant-port.js';
import type { ServingPlan, ServingRequest } from './serving-port.js';

const REQUEST: LeaseRequest = {
  capabilities: ['chat'],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: 'small',
  instanceIdentifier: null,
  failed: [],
  requestId: 'r-1',
};
const { requestId: _, ...WANTED } = REQUEST;
const ANY: ServingRequest = { ...WANTED, promptTokens: null, prefixKey: null };
const options = { signal: new AbortController().signal, asker: 'desktop' };

let local: FakeLocal;
let plan: Partial<ServingPlan>;
let allowedBytes: number | null;
const port = () =>
  createGrantPort(
    { ...local, plan: async () => ({ ...(await local.plan(ANY)), ...plan }) },
    () => ({
      allowedBytes,
    }),
    (modelKey) => (modelKey === 'small' ? 4200 : null),
  );
beforeEach(() => {
  local = fakeLocal();
  plan = {};
  allowedBytes = null;
});

test('a resident that serves is given at every hour, and tells no address of the runtime', async () => {
  const granted = await port().acquire(REQUEST, options);
  expect(granted.resident).toEqual({
    modelKey: 'small',
    instanceIdentifier: 'mai:small',
    tier: 'small',
    capabilities: ['chat'],
    contextLengthTokens: 16_384,
    decisionId: 'd-1',
  });
  expect(local.asked).toEqual([expect.not.objectContaining({ requestId: 'r-1' })]);
  await granted.release();
  expect(local.released).toBe(1);
  expect(await port().expectedMs(REQUEST, options)).toBe(0);
});

test('a load is expected to take what this machine predicts for its model, where it predicts it', async () => {
  plan = { decision: 'load', modelKey: 'small' };
  expect(await port().expectedMs(REQUEST, options)).toBe(4200);
  plan = { decision: 'load', modelKey: 'other' };
  expect(await port().expectedMs(REQUEST, options)).toBeNull();
  plan = { decision: 'none', modelKey: null };
  expect(await port().expectedMs(REQUEST, options)).toBeNull();
});

test.each([
  [null, 'NO_GUESTS', {}],
  [2e9 - 1, 'GUEST_SHARE_EXCEEDED', { neededBytes: 2e9, takenBytes: 0, allowedBytes: 2e9 - 1 }],
])('a load is refused where guests may take %s bytes', async (bytes, reason, figures) => {
  plan = { decision: 'load', loadBytes: 2e9 };
  allowedBytes = bytes;
  const error: unknown = await port()
    .acquire(REQUEST, options)
    .catch((one: unknown) => one);
  expect(port().refusalOf(error)).toMatchObject({ reason, figures });
  expect(local.asked).toEqual([]);
});

test('loads for guests add up, as long as their models are loaded', async () => {
  plan = { decision: 'load', loadBytes: 2e9 };
  allowedBytes = 3e9;
  const one = port();
  await one.acquire(REQUEST, options);
  await expect(one.acquire(REQUEST, options)).rejects.toMatchObject({
    code: 'GUEST_SHARE_EXCEEDED',
    figures: { takenBytes: 2e9 },
  });
});

test('guests that ask at the same time are allowed no more than one after another', async () => {
  const loads: (() => void)[] = [];
  local.acquire = async (request) => {
    await new Promise<void>((resolve) => loads.push(resolve));
    return { ...(await fakeLocal().acquire(request)), modelKey: request.modelKey ?? '' };
  };
  allowedBytes = 5e9;
  const one = createGrantPort(
    {
      ...local,
      plan: async ({ modelKey }) => ({
        ...(await local.plan(ANY)),
        decision: 'load',
        modelKey,
        loadBytes: 2e9,
      }),
    },
    () => ({ allowedBytes }),
    () => null,
  );
  const acquire = (modelKey: string) =>
    one.acquire({ ...REQUEST, modelKey }, options).then(
      () => 'granted',
      (error: unknown) => one.refusalOf(error).reason,
    );
  const asked = ['a', 'b', 'c', 'a'].map(acquire);
  // A second request for a model waits for the load that is under way.
  expect(await asked[2]).toBe('GUEST_SHARE_EXCEEDED');
  expect(loads).toHaveLength(3);
  for (const end of loads) end();
  expect(await Promise.all(asked)).toEqual([
    'granted',
    'granted',
    'GUEST_SHARE_EXCEEDED',
    'granted',
  ]);
});

test('a load that fails gives its bytes back', async () => {
  plan = { decision: 'load', loadBytes: 2e9 };
  allowedBytes = 3e9;
  const one = port();
  local.failure = new Error('It failed.');
  await expect(one.acquire(REQUEST, options)).rejects.toThrow('It failed.');
  local.failure = null;
  expect((await one.acquire(REQUEST, options)).resident.modelKey).toBe('small');
});

test('a model of unknown size is loaded for guests only where they have nothing else', async () => {
  plan = { decision: 'load', modelKey: 'other', loadBytes: null };
  allowedBytes = 3e9;
  const one = port();
  await one.acquire(REQUEST, options);
  await expect(one.acquire(REQUEST, options)).rejects.toMatchObject({
    code: 'GUEST_SHARE_EXCEEDED',
    figures: { takenBytes: 3e9, neededBytes: 3e9, allowedBytes: 3e9 },
  });
});

test('an error of this machine reaches the asker with its code', () => {
  const error = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
  expect(port().refusalOf(error)).toEqual({
    reason: 'NOTHING_FITS',
    message: 'Nothing fits.',
    figures: {},
  });
});
