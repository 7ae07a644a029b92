import { hostOf, inputOf, loadedModel, modelOf, speed } from '../../test/known-hosts.js';
import type { KnownHost } from '../state/known-host.js';
import { placeRequest } from './place-request.js';
import type { PlacementInput, RecentSend } from './placement-input.js';

const EMPTY_OWN = hostOf('own', []);

/** The small model, loaded: 300 tokens in 5 s, a prompt of 800 tokens in 1 s. */
const LOADED_SMALL = loadedModel({
  modelKey: 'small',
  tier: 'small',
  speed: speed(60, 800, 3_000),
});

/** The first alternative, in short. */
function taken(input: PlacementInput): string {
  const [best] = placeRequest(input).alternatives;
  return `${best?.host} ${best?.modelKey} ${best?.step}`;
}

function reasonOf(host: KnownHost, input: Parameters<typeof inputOf>[1] = {}): unknown {
  const { notTaken } = placeRequest(inputOf([EMPTY_OWN, host], input));
  return notTaken.find((one) => one.host === host.state.host)?.reason;
}

describe('the place of a request', () => {
  // Delays with the large model: prompt 2 s and answer 10 s, so 12 s at an idle host; another host adds 0.05 s.
  const idle = hostOf('idle', [loadedModel()]); // 0.05 s
  const busy = hostOf('busy', [loadedModel()], { requests: { 'mai:large': 1 } }); // 12 * 0.5 + 0.05 = 6.05 s
  const full = hostOf('full', [loadedModel()], { requests: { 'mai:large': 7 } }); // queue 4 / 4 * 12 * 2.5, and 12 * 1.5: 48.05 s
  const cold = hostOf('cold', [modelOf()]); // load 20 s and its price of 2 s: 22.05 s
  const evicting = hostOf('evicting', [modelOf({ fit: 'after-eviction' })]); // a further price of 8 s: 30.05 s
  const smaller = hostOf('smaller', [LOADED_SMALL]); // 0.05 s and the price of 30 s: 30.05 s
  const slowCold = hostOf('slow-cold', [modelOf({ speed: speed(30, 400, 29_000) })]); // 31.05 s

  it.each([
    { hosts: [busy, idle], first: 'idle large resident-idle', delayMs: 50 },
    { hosts: [cold, busy], first: 'busy large resident-busy', delayMs: 6_050 },
    { hosts: [full, cold], first: 'cold large fits', delayMs: 22_050 },
    { hosts: [evicting, cold], first: 'cold large fits', delayMs: 22_050 },
    { hosts: [full, evicting], first: 'evicting large after-eviction', delayMs: 30_050 },
    { hosts: [smaller, evicting], first: 'evicting large after-eviction', delayMs: 30_050 },
    { hosts: [slowCold, smaller], first: 'smaller small smaller', delayMs: 30_050 },
    { hosts: [smaller, full], first: 'smaller small smaller', delayMs: 30_050 },
  ])('is $first', ({ hosts, first, delayMs }) => {
    const input = inputOf([EMPTY_OWN, ...hosts]);
    expect(taken(input)).toBe(first);
    expect(placeRequest(input).alternatives[0]?.figures?.delayMs).toBeCloseTo(delayMs, 6);
  });

  it('is a loaded large model behind a queue of 3 s rather than a load of 20 s elsewhere', () => {
    // Prompt 0.8 s and answer 4 s at an idle host, so the queue is 1 / 4 * 4.8 s * 2.5 = 3 s.
    const fast = speed(75, 1_000, 20_000);
    const queued = hostOf('queued', [loadedModel({ speed: fast })], {
      requests: { 'mai:large': 4 },
    });
    const input = inputOf([EMPTY_OWN, queued, hostOf('cold', [modelOf({ speed: fast })])]);
    expect(taken(input)).toBe('queued large resident-busy');
    const [best, next] = placeRequest(input).alternatives;
    expect(best?.figures).toMatchObject({ ahead: 4, parallel: 4, queueMs: 3_000, loadMs: 0 });
    expect(next).toMatchObject({
      host: 'cold',
      step: 'fits',
      figures: { queueMs: 0, loadMs: 20_000 },
    });
  });

  it('is a load of 3 s rather than a queue of 30 s', () => {
    const quick = hostOf('quick', [modelOf({ speed: speed(30, 400, 3_000) })]);
    expect(taken(inputOf([EMPTY_OWN, full, quick]))).toBe('quick large fits');
  });

  it('is the slow host of the preferred model, although a smaller model is faster', () => {
    const slow = hostOf('slow', [loadedModel({ speed: speed(7, 50) })]);
    expect(taken(inputOf([EMPTY_OWN, slow, smaller]))).toBe('slow large resident-idle');
  });

  it('is the fast host, although the slow one is nearer', () => {
    const slow = hostOf('own', [loadedModel({ speed: speed(10, 100) })]);
    expect(taken(inputOf([slow, idle]))).toBe('idle large resident-idle');
  });

  it('is a smaller model where the preferred one is slower than the policy asks for', () => {
    const slow = hostOf('slow', [loadedModel({ speed: speed(5, 50) })]);
    const input = inputOf([EMPTY_OWN, slow, smaller]);
    expect(taken(input)).toBe('smaller small smaller');
    expect(placeRequest(input).alternatives[1]).toMatchObject({
      host: 'slow',
      figures: { tooSlow: true },
    });
    expect(taken(inputOf([EMPTY_OWN, slow, smaller], { policy: { minTokensPerSecond: 0 } }))).toBe(
      'slow large resident-idle',
    );
  });

  it('is the preferred model where its speed may reach what the policy asks for', () => {
    const guessed = speed(5, 50);
    const range = { expected: 5, low: 3.5, high: 6 };
    const slow = hostOf('slow', [
      loadedModel({ speed: { ...guessed, decodeTokensPerSecond: range, measured: false } }),
    ]);
    expect(taken(inputOf([EMPTY_OWN, slow, smaller]))).toBe('slow large resident-idle');
    const below = { ...range, high: 5.99 };
    const slower = hostOf('slow', [
      loadedModel({ speed: { ...guessed, decodeTokensPerSecond: below, measured: false } }),
    ]);
    expect(taken(inputOf([EMPTY_OWN, slower, smaller]))).toBe('smaller small smaller');
  });

  it('is the host whose other models are idle', () => {
    const models = [loadedModel(), loadedModel({ modelKey: 'other' })];
    const shared = hostOf('a-shared', models, { requests: { 'mai:other': 2 } });
    expect(taken(inputOf([EMPTY_OWN, shared, idle]))).toBe('idle large resident-idle');
  });

  it('is decided by tokens per second where delays are equal', () => {
    // Both delays are within the first interval of 250 ms, and the speeds are not within 10 %.
    const faster = hostOf('z-faster', [loadedModel({ speed: speed(3_500, 400) })]);
    const slower = hostOf('a-slower', [loadedModel({ speed: speed(3_000, 400) })]);
    const input = inputOf([EMPTY_OWN, faster, slower]);
    expect(taken(input)).toBe('z-faster large resident-idle');
    expect(reasonOf(slower)).toBeUndefined();
    expect(
      placeRequest(input).notTaken.find(({ host }) => host === 'a-slower')?.reason,
    ).toMatchObject({
      code: 'RANKED_BEHIND',
      by: 'speed',
      tokensPerSecond: 3_000,
    });
  });

  it('is decided by the requests ahead where delays and speeds are equal', () => {
    const [one, two] = [1, 2].map((requests) =>
      hostOf(`h${3 - requests}`, [loadedModel()], { requests: { 'mai:large': requests } }),
    );
    const input = inputOf([EMPTY_OWN, ...[one, two].filter((host) => host !== undefined)], {
      policy: { slowdownRatio: 0 },
    });
    expect(taken(input)).toBe('h2 large resident-busy');
    expect(placeRequest(input).notTaken[0]?.reason).toMatchObject({ by: 'queue', ahead: 2 });
  });

  it('is decided by the warm prefix where the requests ahead are equal, too', () => {
    const twins = ['a', 'b'].map((host) => hostOf(host, [loadedModel()]));
    const places = ['one', 'two', 'three', 'four', 'five', 'six'].map((prefixKey) => {
      const input = inputOf([EMPTY_OWN, ...twins], {
        request: { prefixKey },
        policy: { warmRatio: 0 },
      });
      const [best] = placeRequest(input).alternatives;
      expect(best?.figures?.warm).toBe(true);
      return best?.host;
    });
    expect(new Set(places)).toEqual(new Set(['a', 'b']));
  });

  it('is the asking host, then the first name, where everything else is equal', () => {
    const own = hostOf('own', [loadedModel()]);
    expect(taken(inputOf([hostOf('attic', [loadedModel()]), own]))).toBe('own large resident-idle');
    const twins = ['den', 'attic'].map((host) => hostOf(host, [loadedModel()]));
    expect(taken(inputOf([EMPTY_OWN, ...twins]))).toBe('attic large resident-idle');
  });

  it.each([
    { wanted: 16_384, step: 'fits' },
    { wanted: 16_385, step: 'after-eviction' },
  ])(
    'fits by what the host tells for 16,384 tokens: a context of $wanted is $step',
    ({ wanted, step }) => {
      const { alternatives } = placeRequest(
        inputOf([EMPTY_OWN, cold], { request: { minContextLengthTokens: wanted } }),
      );
      expect(alternatives[0]?.step).toBe(step);
    },
  );

  it('is the resident with the fewest requests of a host with two copies', () => {
    const residents = ['one', 'two'].flatMap(
      (instanceIdentifier) => loadedModel({}, { instanceIdentifier }).residents,
    );
    const host = hostOf('attic', [modelOf({ residents })], { requests: { one: 2, two: 1 } });
    const [best] = placeRequest(inputOf([EMPTY_OWN, host])).alternatives;
    expect(best?.instanceIdentifier).toBe('two');
  });

  it('is the resident that the request names', () => {
    const input = inputOf(
      [EMPTY_OWN, idle, hostOf('named', [loadedModel({}, { instanceIdentifier: 'x' })])],
      {
        request: { chain: null, modelKeys: null, instanceIdentifier: 'x' },
      },
    );
    expect(taken(input)).toBe('named large resident-idle');
  });

  it('is a larger tier first where the request names no models', () => {
    const input = inputOf([EMPTY_OWN, idle, smaller], {
      request: { chain: null, modelKeys: null },
    });
    expect(placeRequest(input).alternatives.map(({ modelKey }) => modelKey)).toEqual([
      'large',
      'small',
      null,
    ]);
  });

  it('knows a model under another key by its digest', () => {
    const own = hostOf('own', [modelOf({ digest: 'sha256:1', fit: 'no' })]);
    const renamed = hostOf('renamed', [loadedModel({ modelKey: 'org/large', digest: 'sha256:1' })]);
    const different = hostOf('different', [
      loadedModel({ modelKey: 'org/large', digest: 'sha256:2' }),
    ]);
    expect(taken(inputOf([own, renamed, different]))).toBe('renamed org/large resident-idle');
    expect(placeRequest(inputOf([own, renamed, different])).notTaken).toContainEqual({
      host: 'different',
      reason: { code: 'MODEL_MISSING', models: 1 },
    });
  });

  it('does not take the digest of a key from other hosts where the asking host has the model', () => {
    const own = hostOf('own', [modelOf({ digest: 'sha256:1', fit: 'no' })]);
    const other = hostOf('other', [modelOf({ digest: 'sha256:2', fit: 'no' })]);
    const renamed = hostOf('renamed', [loadedModel({ modelKey: 'org/large', digest: 'sha256:2' })]);
    expect(taken(inputOf([own, other, renamed]))).toBe('own null own-host');
  });

  it('takes the digest of a key from other hosts where the asking host does not have the model', () => {
    const known = hostOf('known', [modelOf({ digest: 'sha256:1', fit: 'no' })]);
    const renamed = hostOf('renamed', [loadedModel({ modelKey: 'org/large', digest: 'sha256:1' })]);
    expect(taken(inputOf([EMPTY_OWN, known, renamed]))).toBe('renamed org/large resident-idle');
  });

  it('is a load at the asking host, also without an allowance for guests and under memory pressure', () => {
    const own = hostOf('own', [modelOf()], {
      state: { guests: null },
      heartbeat: { pressureRatio: 1.1 },
    });
    expect(taken(inputOf([own]))).toBe('own large fits');
  });

  it('is only the asking host where there is no other host', () => {
    const alone = {
      host: 'own',
      step: 'own-host',
      modelKey: null,
      digest: null,
      instanceIdentifier: null,
      figures: null,
    };
    expect(placeRequest(inputOf([])).alternatives).toEqual([alone]);
    expect(placeRequest(inputOf([EMPTY_OWN])).alternatives).toEqual([alone]);
    expect(placeRequest(inputOf([EMPTY_OWN])).notTaken).toEqual([]);
  });

  it('has the asking host among its alternatives, however many rank before it', () => {
    const many = Array.from({ length: 30 }, (_, index) => hostOf(`h${index}`, [loadedModel()]));
    const { alternatives } = placeRequest(inputOf([hostOf('own', [modelOf()]), ...many]));
    expect(alternatives).toHaveLength(17);
    expect(alternatives[16]).toMatchObject({ host: 'own', step: 'fits' });
  });
});

describe('requests that have just been sent', () => {
  const send = (host: string, overrides: Partial<RecentSend> = {}): RecentSend => ({
    host,
    modelKey: 'large',
    instanceIdentifier: 'mai:large',
    heartbeat: { epoch: `epoch of ${host}`, sequence: 10 },
    loading: false,
    ended: false,
    agoMs: 100,
    ...overrides,
  });

  it('spread a burst evenly over equal hosts before any heartbeat comes', () => {
    const hosts = ['a', 'b', 'c', 'd'].map((host) => hostOf(host, [loadedModel()]));
    const sends: RecentSend[] = [];
    for (let request = 0; request < 12; request += 1) {
      const [best] = placeRequest(
        inputOf([EMPTY_OWN, ...hosts], { recentSends: sends }),
      ).alternatives;
      sends.push(send(best?.host ?? ''));
    }
    const counts = hosts.map(({ state }) => sends.filter(({ host }) => host === state.host).length);
    expect(counts).toEqual([3, 3, 3, 3]);
  });

  it('wait for the load that the first of them caused, rather than load the model elsewhere', () => {
    const hosts = ['a', 'b'].map((host) => hostOf(host, [modelOf()]));
    const waiting = send('b', { instanceIdentifier: null, loading: true, agoMs: 15_000 });
    const { alternatives } = placeRequest(
      inputOf([EMPTY_OWN, ...hosts], { recentSends: [waiting] }),
    );
    // 5 s of the load are left, without a further price.
    expect(alternatives[0]).toMatchObject({
      host: 'b',
      step: 'fits',
      figures: { ahead: 1, parallel: 4, queueMs: 0, loadMs: 5_000, penaltyMs: 0 },
    });
  });

  it('delay a load of another model on the same host until their own load has ended', () => {
    const host = hostOf('a', [modelOf(), modelOf({ modelKey: 'other' })]);
    const waiting = send('a', {
      modelKey: 'other',
      instanceIdentifier: null,
      loading: true,
      agoMs: 12_000,
    });
    const { alternatives } = placeRequest(inputOf([EMPTY_OWN, host], { recentSends: [waiting] }));
    expect(alternatives[0]?.figures?.loadMs).toBe(28_000);
  });
});

describe('a conversation', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const hosts = names.map((host) => hostOf(host, [loadedModel()]));
  const hostFor = (conversation: number, among: readonly KnownHost[]): string =>
    placeRequest(
      inputOf([EMPTY_OWN, ...among], { request: { prefixKey: `conversation ${conversation}` } }),
    ).alternatives[0]?.host ?? '';
  const conversations = Array.from({ length: 200 }, (_, index) => index);

  it('is spread over the hosts by the hash of its start', () => {
    const counts = names.map(
      (name) => conversations.filter((one) => hostFor(one, hosts) === name).length,
    );
    // 40 each on average, with a standard deviation of 5.7.
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThan(60);
  });

  it('stays where it is when another host leaves', () => {
    const left = hosts.filter(({ state }) => state.host !== 'c');
    for (const one of conversations) {
      const before = hostFor(one, hosts);
      if (before !== 'c') expect(hostFor(one, left)).toBe(before);
    }
  });

  it('goes elsewhere while its host has a queue that takes longer than reading the prompt again', () => {
    const home = hostFor(1, hosts);
    const busyAt = (requests: number) =>
      names.map((host) =>
        hostOf(host, [loadedModel()], { requests: host === home ? { 'mai:large': requests } : {} }),
      );
    // 1.6 s of the prompt are saved. One more request costs 0.4 s + 10 s * 0.5.
    expect(hostFor(1, busyAt(0))).toBe(home);
    expect(hostFor(1, busyAt(1))).not.toBe(home);
  });

  it('says how much of the prompt need not be read', () => {
    const [best, next] = placeRequest(
      inputOf([EMPTY_OWN, ...hosts], { request: { prefixKey: 'x' } }),
    ).alternatives;
    expect(best?.figures?.warm).toBe(true);
    expect(best?.figures?.promptMs).toBeCloseTo(400, 6);
    expect(next?.figures).toMatchObject({ warm: false, promptMs: 2_000 });
  });
});

describe('a host that gets no request', () => {
  it.each([
    {
      name: 'was not heard',
      host: hostOf('x', [loadedModel()], { known: { usable: false, silentMs: 12_000 } }),
      reason: { code: 'NOT_USABLE', silentMs: 12_000 },
    },
    {
      name: 'has restarted',
      host: hostOf('x', [loadedModel()], { heartbeat: { epoch: 'new' } }),
      reason: { code: 'RESTARTED' },
    },
    {
      name: 'stops',
      host: hostOf('x', [loadedModel()], { heartbeat: { ready: false } }),
      reason: { code: 'STOPPING' },
    },
    {
      name: 'has no address',
      host: hostOf('x', [loadedModel()], { state: { address: null } }),
      reason: { code: 'NO_ADDRESS' },
    },
    {
      name: 'does not have the model',
      host: hostOf('x', [loadedModel({ modelKey: 'other' })]),
      reason: { code: 'MODEL_MISSING', models: 1 },
    },
    {
      name: 'can not fit the model',
      host: hostOf('x', [modelOf({ fit: 'no' })]),
      reason: { code: 'DOES_NOT_FIT', modelKey: 'large', sizeBytes: 16e9 },
    },
    {
      name: 'has memory pressure',
      host: hostOf('x', [modelOf()], { heartbeat: { pressureRatio: 1 } }),
      reason: { code: 'MEMORY_PRESSURE', modelKey: 'large', pressureRatio: 1 },
    },
    {
      name: 'lets guests load nothing',
      host: hostOf('x', [modelOf()], { state: { guests: null } }),
      reason: { code: 'GUESTS_MAY_NOT_LOAD', modelKey: 'large' },
    },
    {
      name: 'has the model loaded by a person',
      host: hostOf('x', [loadedModel({ fit: 'no' }, { foreign: true })]),
      reason: { code: 'NOT_RESIDENT', modelKey: 'large' },
    },
    {
      name: 'is a device of LM Link that has not loaded the model',
      host: hostOf('x', [modelOf()], { known: { kind: 'lm-link' } }),
      reason: { code: 'NOT_RESIDENT', modelKey: 'large' },
    },
  ])('$name', ({ host, reason }) => {
    expect(reasonOf(host)).toEqual(reason);
  });

  it.each([
    { memoryRatio: 0.49, allowed: false },
    { memoryRatio: 0.5, allowed: true },
  ])(
    'for a load of 16 GB where guests may take $memoryRatio of 32 GB: allowed is $allowed',
    ({ memoryRatio, allowed }) => {
      const host = hostOf('x', [modelOf()], { state: { guests: { memoryRatio } } });
      const reason = {
        code: 'GUEST_SHARE_EXCEEDED',
        modelKey: 'large',
        sizeBytes: 16e9,
        allowedBytes: 15.68e9,
      };
      expect(reasonOf(host)).toEqual(allowed ? undefined : reason);
    },
  );

  it.each([
    { context: 8_191, wanted: 8_192, reason: true },
    { context: 8_192, wanted: 8_192, reason: false },
    { context: null, wanted: 8_192, reason: true },
    { context: null, wanted: null, reason: false },
  ])(
    'has a resident with a context of $context where $wanted tokens are needed: $reason',
    ({ context, wanted, reason }) => {
      const host = hostOf('x', [loadedModel({ fit: 'no' }, { contextLengthTokens: context })]);
      expect(reasonOf(host, { request: { minContextLengthTokens: wanted } })).toEqual(
        reason
          ? {
              code: 'CONTEXT_TOO_SHORT',
              modelKey: 'large',
              contextLengthTokens: context,
              wantedTokens: 8_192,
            }
          : undefined,
      );
    },
  );

  it('has a model of another tier, or without a capability', () => {
    const host = hostOf('x', [loadedModel()]);
    expect(reasonOf(host, { request: { tiers: ['small'] } })).toEqual({
      code: 'TIER_DIFFERS',
      modelKey: 'large',
      tier: 'large',
    });
    expect(reasonOf(host, { request: { capabilities: ['vision'] } })).toEqual({
      code: 'CAPABILITY_MISSING',
      modelKey: 'large',
      capability: 'vision',
    });
  });

  it('has just failed the request', () => {
    const failed = [{ host: 'x', instanceIdentifier: 'mai:large' }];
    const host = hostOf('x', [loadedModel({ fit: 'no' })]);
    expect(reasonOf(host, { request: { failed } })).toEqual({
      code: 'RESIDENT_FAILED',
      modelKey: 'large',
      instanceIdentifier: 'mai:large',
    });
    const elsewhere = [{ host: 'y', instanceIdentifier: 'mai:large' }];
    expect(reasonOf(host, { request: { failed: elsewhere } })).toBeUndefined();
  });

  it('does not load a second copy of a model whose resident has just failed', () => {
    const failed = [{ host: 'x', instanceIdentifier: 'mai:large' }];
    const { alternatives } = placeRequest(
      inputOf([EMPTY_OWN, hostOf('x', [loadedModel()])], { request: { failed } }),
    );
    expect(alternatives.map(({ step }) => step)).toEqual(['own-host']);
  });

  it('lacks a label that the policy asks for', () => {
    const policy = { labels: { site: 'attic' } };
    const labelled = (labels: Record<string, string>) =>
      hostOf('x', [loadedModel()], { state: { labels } });
    const reason = { code: 'LABEL_DIFFERS', label: 'site', wanted: 'attic' };
    expect(reasonOf(labelled({}), { policy })).toEqual({ ...reason, found: null });
    expect(reasonOf(labelled({ site: 'cellar' }), { policy })).toEqual({
      ...reason,
      found: 'cellar',
    });
    expect(reasonOf(labelled({ site: 'attic' }), { policy })).toBeUndefined();
  });

  it.each([
    { chain: 'default', stays: false },
    { chain: 'private', stays: true },
    { chain: null, stays: true },
  ])(
    'for a request of the chain $chain, where only `default` may leave the machine: stays is $stays',
    ({ chain, stays }) => {
      const found = reasonOf(hostOf('x', [loadedModel()]), {
        request: { chain },
        policy: { chainsThatMayLeave: ['default'] },
      });
      expect(found).toEqual(stays ? { code: 'CHAIN_STAYS', chain } : undefined);
    },
  );
});

describe('a device of LM Link', () => {
  it('serves by its residents, with assumed requests and without an address', () => {
    const device = hostOf('device', [loadedModel({ speed: null }, { foreign: true })], {
      known: { kind: 'lm-link' },
      heartbeat: null,
      state: { address: null, guests: null },
    });
    const [best] = placeRequest(inputOf([EMPTY_OWN, device])).alternatives;
    expect(best).toMatchObject({
      host: 'device',
      step: 'resident-busy',
      figures: { ahead: 1, assumed: ['speed', 'requests'], tokensPerSecond: null },
    });
  });
});

describe('a model whose speed its host does not tell', () => {
  // Assumed: a prompt of 800 tokens in 2 s and 300 tokens in 15 s, so 17 s at an idle host; another host adds 0.05 s.
  const unknown = { speed: null, sizeBytes: 4.4e9 };
  // The load of 4.4 GB takes 3 s and 11 s, and its price is 2 s: 16.05 s.
  const cold = hostOf('cold', [modelOf(unknown)]);
  const busyWith = (requests: number, parallel = 4) =>
    hostOf('busy', [loadedModel(unknown, { parallel })], { requests: { 'mai:large': requests } });
  const seen = (timeRatio: number) => ({
    seenTimes: [{ host: 'busy', modelKey: 'large', timeRatio, answers: 3 }],
  });

  it.each([
    // Nothing is known of the times, so others cost nothing while a sequence is free.
    { requests: 1, parallel: 4, more: {}, first: 'busy large resident-busy', delayMs: 50 },
    { requests: 3, parallel: 4, more: {}, first: 'busy large resident-busy', delayMs: 50 },
    // One of four must end first. Beside each other they take 2.5 times as long: 17 s * 2.5 / 4 = 10.625 s.
    { requests: 4, parallel: 4, more: {}, first: 'busy large resident-busy', delayMs: 10_675 },
    // Two of four must end first, 21.25 s, and the load is sooner.
    { requests: 5, parallel: 4, more: {}, first: 'cold large fits', delayMs: 16_050 },
    // Answers take a fifth of the assumed time, 3.4 s, and 3.06 s are expected of the host that was not tried: three others cost 5.44 s.
    {
      requests: 3,
      parallel: 4,
      more: seen(0.2),
      first: 'busy large resident-busy',
      delayMs: 5_490,
    },
    // One after the other, behind one of 3.4 s: 0.34 s more than at the host that was not tried.
    {
      requests: 1,
      parallel: 1,
      more: seen(0.2),
      first: 'busy large resident-busy',
      delayMs: 3_790,
    },
    // Answers take three times as long, 51 s: one other costs 25.5 s, and 5.1 s more than at the host that was not tried.
    { requests: 1, parallel: 4, more: seen(3), first: 'cold large fits', delayMs: 16_050 },
  ])(
    'is awaited with $requests requests of $parallel, or loaded elsewhere in 14 s: $first',
    ({ requests, parallel, more, first, delayMs }) => {
      const input = inputOf([EMPTY_OWN, busyWith(requests, parallel), cold], more);
      expect(taken(input)).toBe(first);
      expect(placeRequest(input).alternatives[0]?.figures?.delayMs).toBeCloseTo(delayMs, 6);
    },
  );

  it('goes to the idle one of two hosts that have it loaded, then to the one with fewer requests', () => {
    const loaded = (name: string, requests: number): KnownHost =>
      hostOf(name, [loadedModel(unknown)], { requests: { 'mai:large': requests } });
    expect(taken(inputOf([EMPTY_OWN, loaded('one', 1), loaded('two', 0)]))).toBe(
      'two large resident-idle',
    );
    expect(taken(inputOf([EMPTY_OWN, loaded('one', 3), loaded('two', 2)]))).toBe(
      'two large resident-busy',
    );
  });

  it('is not left to the one host whose short answers were seen, and each idle host is tried', () => {
    const idle = ['own', 'busy', 'porch'].map((name) => hostOf(name, [loadedModel(unknown)]));
    expect(taken(inputOf(idle, seen(0.02)))).toBe('own large resident-idle');
    const times = (...hosts: readonly string[]) => ({
      seenTimes: hosts.map((host) => ({ host, modelKey: 'large', timeRatio: 3, answers: 1 })),
    });
    expect(taken(inputOf(idle, times('own', 'busy')))).toBe('porch large resident-idle');
    expect(taken(inputOf(idle, times('own', 'busy', 'porch')))).toBe('own large resident-idle');
    // The time of another model on the same host is not used.
    const other = { seenTimes: [{ host: 'busy', modelKey: 'small', timeRatio: 3, answers: 1 }] };
    expect(placeRequest(inputOf(idle, other)).alternatives[0]?.figures?.assumed).toEqual(['speed']);
  });

  it('has figures that say where its times come from', () => {
    const [first] = placeRequest(inputOf([EMPTY_OWN, busyWith(1)], seen(0.2))).alternatives;
    expect(first?.figures).toMatchObject({ timeRatio: 0.2, assumed: ['speed-seen'] });
    const [other] = placeRequest(inputOf([EMPTY_OWN, busyWith(1)])).alternatives;
    expect(other?.figures).toMatchObject({ timeRatio: 1, assumed: ['speed'] });
    const own = hostOf('own', [loadedModel(unknown)]);
    const [third] = placeRequest(inputOf([own, busyWith(1)], seen(0.2))).alternatives;
    expect(third?.figures?.assumed).toEqual(['speed-elsewhere']);
    expect(third?.figures?.timeRatio).toBeCloseTo(0.18, 6);
  });
});

describe('a request that other hosts have failed', () => {
  const own = hostOf('own', [modelOf()]);
  const idle = hostOf('idle', [loadedModel()]);
  const failedAt = (...hosts: readonly string[]) => ({
    request: { failed: hosts.map((host) => ({ host, instanceIdentifier: 'mai:large' })) },
  });

  it.each([
    { failed: ['den'], first: 'idle large resident-idle' },
    { failed: ['den', 'den'], first: 'idle large resident-idle' },
    { failed: ['den', 'own'], first: 'idle large resident-idle' },
    { failed: ['den', 'porch'], first: 'own large fits' },
  ])('goes to $first after failures at $failed', ({ failed, first }) => {
    expect(taken(inputOf([own, idle], failedAt(...failed)))).toBe(first);
  });

  it('goes to a further host where the own one is not known to serve', () => {
    expect(taken(inputOf([EMPTY_OWN, idle], failedAt('den', 'porch')))).toBe(
      'idle large resident-idle',
    );
  });
});
