import { request as httpRequest } from 'node:http';
import { ask } from '../../test/ask.js';
import {
  createFakeMachine,
  decidedAt,
  episodeOf,
  GIB,
  LOADED,
} from '../../test/fakes/fake-machine.js';
import { createFakeClock } from '../../test/fakes/fake-clock.js';
import { serveControl } from '../../test/worlds/serve-control.js';
import { createThroughput } from './handlers/throughput.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('hostile requests', () => {
  const BODIES: readonly (readonly [string, string, number])[] = [
    ['no JSON', '{"target":', 400],
    ['an array', '[]', 400],
    ['a text', '"pin"', 400],
    ['null', 'null', 400],
    ['a number for a name', '{"target":1}', 400],
    ['an object for a name', '{"target":{"length":1}}', 400],
    ['an empty name', '{"target":""}', 400],
    ['a long name', JSON.stringify({ target: 'x'.repeat(301) }), 400],
    ['an unknown field', '{"target":"a","admin":true}', 400],
    ['a prototype key', '{"target":"a","__proto__":{"dryRun":true}}', 400],
    ['a constructor key', '{"target":"a","constructor":{"prototype":{"x":1}}}', 400],
    ['dryRun as text', '{"target":"a","dryRun":"false"}', 400],
    ['deep nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400],
    ['a huge body', JSON.stringify({ target: 'x'.repeat(100_000) }), 413],
  ];
  test.each(BODIES)('%s is refused and changes nothing', async (_, body, status) => {
    await using world = await serveControl();
    const answer = await ask(world.url, {
      method: 'POST',
      path: '/api/mai/pin',
      headers: JSON_TYPE,
      body,
    });
    expect(answer.status).toBe(status);
    expect(answer.json().error.code).toBe('INVALID_REQUEST');
    expect(world.machine.calls.map(([name]) => name)).not.toContain('pin');
    expect(({} as { dryRun?: unknown }).dryRun).toBeUndefined();
  });

  test.each([
    [
      '{"target":1,"admin":true}',
      'The request is not valid. target: Invalid input: expected string, received number. Unrecognized key: "admin". GET /api/mai/openapi.json describes it.',
    ],
    [JSON.stringify({ target: 'x'.repeat(100_000) }), 'The body is larger than 64 KiB, which is'],
  ])('the message about %.30s says what is wrong in plain sentences', async (body, message) => {
    await using world = await serveControl();
    const answer = await ask(world.url, {
      method: 'POST',
      path: '/api/mai/pin',
      headers: JSON_TYPE,
      body,
    });
    expect(answer.json().error.message).toContain(message);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'a body of the type %j, which a form could send, is refused',
    async (type) => {
      await using world = await serveControl();
      const answer = await ask(world.url, {
        method: 'POST',
        path: '/api/mai/pin',
        headers: { 'content-type': type },
        body: '{"target":"a"}',
      });
      expect(answer.status).toBe(415);
    },
  );

  test('a body of an unknown compression is refused, and is no fault of the gateway', async () => {
    await using world = await serveControl();
    const answer = await ask(world.url, {
      method: 'POST',
      path: '/api/mai/pin',
      headers: { ...JSON_TYPE, 'content-encoding': 'lzw' },
      body: '{"target":"a"}',
    });
    expect(answer.status).toBe(415);
    expect(world.faults).toEqual([]);
  });

  test.each([
    '/api/mai/decisions?limit=0',
    '/api/mai/decisions?limit=201',
    '/api/mai/decisions?limit=1e9',
    '/api/mai/decisions?limit=x',
    '/api/mai/decisions?limit=1&limit=2',
    '/api/mai/decisions?before=1',
    '/api/mai/decisions?before=1-2-3',
    '/api/mai/decisions?unknown=1',
    '/api/mai/decisions?__proto__=1',
    `/api/mai/decisions?search=${'x'.repeat(201)}`,
    '/api/mai/what-if?model=',
    `/api/mai/what-if?model=${LOADED}&contextLengthTokens=-1`,
    `/api/mai/what-if?model=${LOADED}&contextLengthTokens=1.5`,
    `/api/mai/what-if?model=${LOADED}&contextLengthTokens=99999999999`,
    `/api/mai/what-if?model=${LOADED}&kvCacheType=q2`,
  ])('%s is refused', async (path) => {
    await using world = await serveControl();
    expect((await ask(world.url, { path })).status).toBe(400);
  });

  test.each([
    '/api/mai/',
    '/api/mai//status',
    '/api/mai/status/',
    '/api/mai/STATUS',
    '/api/mai/../mai/status',
    '/api/mai/__proto__',
    '/api/mai/constructor',
    '/api/mai/decisions/',
    '/api/mai/decisions/a/b',
    '/api/mai/decisions/%2e%2e%2fstatus%',
    '/api/mai/decisions/%00',
  ])('%s leads to nothing', async (path) => {
    await using world = await serveControl();
    expect((await ask(world.url, { path })).status).toBe(404);
  });

  test.each(['/etc/passwd', '../secret.gguf', 'C:\\x.gguf', './model', 'test/small@../../x'])(
    'the model %j, which a host would read as a file, is not estimated',
    async (model) => {
      await using world = await serveControl();
      const path = `/api/mai/what-if?model=${encodeURIComponent(model)}`;
      expect((await ask(world.url, { path })).status).toBe(404);
      const load = await ask(world.url, {
        method: 'POST',
        path: '/api/mai/load?dryRun=1',
        headers: JSON_TYPE,
        body: JSON.stringify({ model }),
      });
      expect(load.status).toBe(404);
      expect(world.machine.calls.map(([name]) => name)).not.toContain('estimate');
    },
  );
});

describe('errors of the machine', () => {
  test.each([
    ['MODEL_NOT_FOUND', 404],
    ['LOAD_REFUSED', 409],
    ['UNREACHABLE', 503],
    ['TIMED_OUT', 504],
  ])('%s keeps its code and message, with the status %i', async (code, status) => {
    await using world = await serveControl();
    world.machine.fails = Object.assign(new Error('Start LM Studio.'), { code });
    const answer = await ask(world.url, { path: '/api/mai/status' });
    expect(answer.status).toBe(status);
    expect(answer.json()).toEqual({ error: { code, message: 'Start LM Studio.' } });
    expect(world.faults).toEqual([]);
  });

  test.each([
    new Error('token sk-1'),
    Object.assign(new Error('token sk-1'), { code: 'EPIPE' }),
    'token sk-1',
    undefined,
  ])('the unexpected error %p stays on this machine', async (error) => {
    await using world = await serveControl();
    world.machine.fails = error;
    const answer = await ask(world.url, { path: '/api/mai/status' });
    expect(answer.status).toBe(500);
    expect(answer.json().error.code).toBe('INTERNAL');
    expect(answer.text).not.toContain('sk-1');
    expect(world.faults).toHaveLength(1);
  });

  test('a page of an allowed origin can read a failure', async () => {
    await using world = await serveControl({ allowOrigins: ['app://one'] });
    world.machine.fails = Object.assign(new Error('off'), { code: 'UNREACHABLE' });
    const headers = { origin: 'app://one' };
    const answer = await ask(world.url, { path: '/api/mai/status', headers });
    expect(answer.headers['access-control-allow-origin']).toBe('app://one');
  });
});

describe('readings', () => {
  test('many readers ask the runtime once in ten seconds', async () => {
    const clock = createFakeClock();
    await using world = await serveControl({ clock });
    const asked = () => world.machine.calls.filter(([name]) => name === 'status').length;
    const read = () => ask(world.url, { path: '/api/mai/status' });
    await Promise.all([read(), read(), read()]);
    const before = asked();
    await clock.advance(9000);
    await read();
    expect(asked()).toBe(before);
    await clock.advance(1001);
    await read();
    expect(asked()).toBe(before + 1);
  });

  test('after a change the next reader asks at once, and after a dry run it does not', async () => {
    await using world = await serveControl({ clock: createFakeClock() });
    const asked = () => world.machine.calls.filter(([name]) => name === 'status').length;
    const unload = (dryRun: boolean) =>
      ask(world.url, {
        method: 'POST',
        path: '/api/mai/unload',
        headers: JSON_TYPE,
        body: JSON.stringify({ target: LOADED, dryRun }),
      });
    await ask(world.url, { path: '/api/mai/status' });
    const before = asked();
    await unload(true);
    await ask(world.url, { path: '/api/mai/status' });
    expect(asked()).toBe(before);
    await unload(false);
    await ask(world.url, { path: '/api/mai/status' });
    expect(asked()).toBe(before + 1);
  });

  test('the status has the expected and the measured memory of each resident', async () => {
    await using world = await serveControl();
    const { residents, pools } = (await ask(world.url, { path: '/api/mai/status' })).json();
    expect(residents[0]).toMatchObject({
      footprint: { totalBytes: 2 * GIB },
      measuredRamBytes: 1.5 * GIB,
      leased: true,
      pinned: false,
    });
    // Mapped weights of 1 GiB, and the engine's 1.5 GiB.
    expect(residents[0].pools).toEqual([{ pool: 'ram', bytes: 2.5 * GIB }]);
    expect(pools[0]).toMatchObject({
      label: 'RAM',
      measured: true,
      useBytes: 8 * GIB,
      freeBytes: 8 * GIB,
    });
  });

  test('the chain and the models have speed and quality, and null where they are not known', async () => {
    await using world = await serveControl();
    const { chain, models } = (await ask(world.url, { path: '/api/mai/models' })).json();
    const figures = {
      speed: { tokensPerSecond: 42, firstTokenMs: 2500, loadMs: 3200, measured: true },
      quality: 0.61,
    };
    for (const listed of [chain.steps, models]) {
      expect(listed).toMatchObject([figures, { speed: null, quality: null }]);
    }
  });

  test('a model after the chosen one that fits only with trade-offs is shown with them, as in the list of models', async () => {
    const { port } = createFakeMachine();
    const machine: typeof port = {
      ...port,
      select: async (request) => {
        const { selection, ...answer } = await port.select(request);
        const rejection = { code: 'PREFERRED_CANDIDATE_FITS' };
        const rejected = selection.rejected.map((one) => ({ ...one, rejection }));
        return { ...answer, selection: { ...selection, rejected } };
      },
    };
    await using world = await serveControl({ parts: { machine } });
    const { chain, models } = (await ask(world.url, { path: '/api/mai/models' })).json();
    const { cheaper } = models[1];
    expect(cheaper.tradeOffs).toBe('shorter-context');
    expect(chain.steps[1]).toMatchObject({ verdict: 'fits', speed: null, ...cheaper });
  });

  test('a dry run of a load adds its memory to each pool, and says where it does not fit', async () => {
    await using world = await serveControl();
    const load = async (model: string) =>
      (
        await ask(world.url, {
          method: 'POST',
          path: '/api/mai/load?dryRun=1',
          headers: JSON_TYPE,
          body: JSON.stringify({ model }),
        })
      ).json();
    // The upper end of the footprint: 2 GiB and a tenth. RAM has 8 of 12 GiB in use.
    const fitting = await load(LOADED);
    expect(fitting.possible).toBe(true);
    expect(fitting.pools[0].useAfterBytes).toBe(8 * GIB + Math.ceil(2.2 * GIB));
    expect(fitting.warnings).toEqual([]);
  });
});

test('the bodies of all calls of a gateway have a bound, and a call that ends makes room', async () => {
  await using world = await serveControl();
  await using other = await serveControl();
  const pin = (url = world.url): ReturnType<typeof ask> =>
    ask(url, {
      method: 'POST',
      path: '/api/mai/pin?dryRun=1',
      headers: JSON_TYPE,
      body: `{"target":"${LOADED}"}`.padEnd(1000),
    });
  // 16 MiB less a byte each.
  const slow = Array.from({ length: 256 }, () => {
    const headers = { ...JSON_TYPE, 'content-length': 65_536 };
    const request = httpRequest(`${world.url}/api/mai/pin`, { method: 'POST', headers });
    request.on('error', () => undefined);
    request.write(' '.repeat(65_535));
    return request;
  });
  let answer = await pin();
  while (answer.status === 200) answer = await pin();
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
  expect(answer.json().error.code).toBe('QUEUE_FULL');
  // Another gateway of the same process has a bound of its own.
  expect((await pin(other.url)).status).toBe(200);
  slow[0]?.destroy();
  while (answer.status === 503) answer = await pin();
  expect(answer.status).toBe(200);
  for (const request of slow) request.destroy();
});

describe('decisions', () => {
  async function withLog(count: number) {
    const world = await serveControl();
    world.machine.episodes = Array.from({ length: count }, (_, index) =>
      episodeOf(
        index + 1,
        index % 10 === 0 ? 'test/large' : LOADED,
        index === 5 ? 'DWELLING' : 'STEADY',
      ),
    );
    return world;
  }
  const list = async (url: string, query: string) =>
    (await ask(url, { path: `/api/mai/decisions?${query}` })).json();

  test('an explanation has the speed and the quality of the load that was chosen', async () => {
    await using world = await withLog(1);
    expect((await ask(world.url, { path: '/api/mai/explain' })).json()).toMatchObject({
      speed: { tokensPerSecond: 42, firstTokenMs: 2500, loadMs: 3200, measured: true },
      quality: 0.61,
    });
  });

  test('pages follow each other without a gap or a repetition', async () => {
    await using world = await withLog(25);
    const seen: number[] = [];
    let query = 'limit=10';
    for (;;) {
      const { decisions, next } = await list(world.url, query);
      seen.push(...decisions.map(({ atMs }: { atMs: number }) => atMs));
      if (next === null) break;
      query = `limit=10&before=${next}`;
    }
    expect(seen).toEqual([...world.machine.episodes].reverse().map(({ record }) => record.atMs));
  });

  test('decisions of the same millisecond are all listed', async () => {
    await using world = await withLog(4);
    world.machine.episodes = world.machine.episodes.map((episode) => ({
      ...episode,
      record: { ...episode.record, atMs: 1_900_000_000_000 },
    }));
    const first = await list(world.url, 'limit=2');
    const second = await list(world.url, `limit=2&before=${first.next}`);
    const ids = [...first.decisions, ...second.decisions].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });

  test('a search finds by model, reason and text, in any case', async () => {
    await using world = await withLog(30);
    expect((await list(world.url, 'search=TEST/LARGE%20kept')).decisions).toHaveLength(30);
    expect((await list(world.url, 'search=dwelling')).decisions).toHaveLength(1);
    expect((await list(world.url, 'search=dwelling%20absent')).decisions).toHaveLength(0);
  });

  test('a decision is found by its id, and explain describes the last one', async () => {
    await using world = await withLog(3);
    const last = (await ask(world.url, { path: '/api/mai/explain' })).json();
    const { id } = last;
    expect((await ask(world.url, { path: `/api/mai/decisions/${id}` })).json()).toEqual(last);
    expect(last.sentences).toEqual([{ label: 'Timing', text: 'there was nothing to do.' }]);
    world.machine.episodes = [];
    const none = await ask(world.url, { path: '/api/mai/explain' });
    expect(none.json().error.code).toBe('DECISION_NOT_FOUND');
  });
});

test('history has one sample a second, with the limits and the switches', async () => {
  const clock = createFakeClock();
  await using world = await serveControl({ clock });
  const start = clock.nowMs();
  for (const ms of [0, 100, 1000, 2000, 2100]) world.machine.emit(decidedAt(start + ms));
  world.machine.emit({
    type: 'switch-finished',
    atMs: start + 2200,
    reason: 'REQUESTED',
    tookMs: 900,
    report: {
      outcome: 'switched',
      loaded: [{ instanceIdentifier: 'mai/b' }],
      unloaded: [{ instanceIdentifier: 'mai/a' }],
      failures: [],
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { samples, switches, pools } = (await ask(world.url, { path: '/api/mai/history' })).json();
  expect(samples.map(({ atMs }: { atMs: number }) => atMs - start)).toEqual([0, 1000, 2000]);
  expect(pools[0]).toMatchObject({ pool: 'ram', label: 'RAM', limitBytes: 12 * GIB });
  expect(switches).toEqual([
    expect.objectContaining({
      text: 'unloaded mai/a, loaded mai/b, because a request needed it',
      outcome: 'switched',
    }),
  ]);
  const ram = samples[0].pools.find(({ pool }: { pool: string }) => pool === 'ram');
  // 8 GiB in use, of which the OS counts 1 GiB as the resident's. Its 1 GiB of mapped weights counts as available.
  expect(ram).toEqual({
    pool: 'ram',
    othersBytes: 7 * GIB,
    yieldedBytes: 0,
    residents: [{ instanceIdentifier: 'mai/test/small', bytes: 2 * GIB }],
    freeBytes: 7 * GIB,
  });
});

test('throughput counts the last minute alone', async () => {
  const clock = createFakeClock();
  const throughput = createThroughput(clock);
  const served = {
    protocol: 'openai-chat' as const,
    facts: null,
    modelKey: null,
    instanceIdentifier: null,
    decisionId: null,
    status: 200,
    failure: null,
    gone: false,
    queueMs: 0,
    fallbacks: 0,
    tookMs: 10,
    firstByteMs: 40,
    responseId: null,
    usage: { promptTokens: 100, outputTokens: null },
  };
  throughput.served(served);
  await clock.advance(30_000);
  throughput.served({ ...served, firstByteMs: 80 });
  expect(throughput.lastMinute()).toMatchObject({
    requests: 2,
    promptTokens: 200,
    // None of the two answers counts them.
    outputTokens: null,
    medianFirstByteMs: 80,
  });
  await clock.advance(30_000);
  expect(throughput.lastMinute().requests).toBe(1);
  await clock.advance(60_000);
  expect(throughput.lastMinute()).toEqual({
    requests: 0,
    failures: 0,
    promptTokens: 0,
    outputTokens: 0,
    medianFirstByteMs: null,
  });
});
