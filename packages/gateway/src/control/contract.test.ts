import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ask } from '../../test/ask.js';
import { fakeFleet } from '../../test/fakes/fake-fleet.js';
import { episodeOf, GIB, LOADED, WORDS } from '../../test/fakes/fake-machine.js';
import { serveControl, type ControlWorld } from '../../test/worlds/serve-control.js';

const document = JSON.parse(readFileSync(path.join(__dirname, '..', '..', 'openapi.json'), 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, 'openapi');
const validatorOf = (reference: string) => {
  const validate = ajv.getSchema(`openapi${reference}`);
  if (validate === undefined) throw new Error(`The document has no ${reference}`);
  return validate;
};

/** The arguments of each operation. An operation that is missing here fails its test. */
const CALLS: Readonly<Record<string, { readonly path?: string; readonly body?: object }>> = {
  status: {},
  models: { path: '/api/mai/models?chain=coding' },
  whatIf: {
    path: `/api/mai/what-if?model=${encodeURIComponent(LOADED)}&contextLengthTokens=4096&kvCacheType=q8_0&parallelSequences=2`,
  },
  decisions: { path: '/api/mai/decisions?limit=1&search=kept' },
  decision: {
    path: `/api/mai/decisions/${WORDS.decisionIdOf(episodeOf(1, LOADED).record)}`,
  },
  explain: {},
  history: { path: '/api/mai/history?sinceMs=0' },
  fleet: {},
  queue: {},
  load: { body: { model: LOADED, contextLengthTokens: 4096 } },
  unload: { body: { target: LOADED } },
  pin: { body: { target: LOADED } },
  unpin: { body: {} },
  yield: { body: { bytes: GIB, name: 'game' } },
  endYield: { body: { name: 'game' } },
  session: {},
  signIn: { body: { key: 'mai-none' } },
  signOut: {},
  events: {},
};

interface DescribedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

const operations: readonly DescribedOperation[] = Object.entries<object>(document.paths).flatMap(
  ([route, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: route,
      operation,
    })),
);

let world: ControlWorld;
beforeEach(async () => {
  world = await serveControl({ parts: { fleet: fakeFleet() } });
});
afterEach(() => world[Symbol.asyncDispose]());

function expectValid(reference: string, value: unknown): void {
  const validate = validatorOf(reference);
  const isValid = validate(value);
  expect(validate.errors ?? []).toEqual([]);
  expect(isValid).toBe(true);
}

test.each(operations.filter(({ operation }) => operation.operationId !== 'events'))(
  'the answer of $method $path is as the document says',
  async ({ method, path: route, operation }) => {
    const call = CALLS[operation.operationId];
    if (call === undefined) throw new Error(`No call for ${operation.operationId}`);
    const answer = await ask(world.url, {
      method,
      path: call.path ?? route,
      ...(call.body === undefined
        ? {}
        : {
            body: JSON.stringify(call.body),
            headers: { 'content-type': 'application/json' },
          }),
    });
    const responses = operation.responses;
    const { content } = answer.status === 200 ? responses['200'] : responses.default;
    // Without keys there is nothing to sign in with.
    expect(answer.status).toBe(operation.operationId === 'signIn' ? 401 : 200);
    expectValid(content['application/json'].schema.$ref, answer.json());
  },
);

test.each(
  operations.filter(
    ({ method, operation }) => method === 'POST' && operation.operationId !== 'signIn',
  ),
)(
  '$path with dryRun says what would happen and changes nothing',
  async ({ path: route, operation }) => {
    const body = CALLS[operation.operationId]?.body;
    const asks = [
      { path: `${route}?dryRun=1`, body: JSON.stringify(body) },
      { path: route, body: JSON.stringify({ ...body, dryRun: true }) },
    ];
    for (const one of asks) {
      const answer = await ask(world.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        ...one,
      });
      expect(answer.status).toBe(200);
      expectValid('#/components/schemas/Change', answer.json());
      expect(answer.json().dryRun).toBe(true);
      expect(answer.json().summary).not.toBe('');
    }
    const changing = ['load', 'unload', 'pin', 'unpin', 'yieldMemory', 'endYield'];
    for (const [name, , dryRun] of world.machine.calls) {
      if (changing.includes(name)) expect(dryRun).toBe(true);
    }
    expect(world.machine.calls.map(([name]) => name)).not.toContain('load');
  },
);

test('the document itself is served', async () => {
  const answer = await ask(world.url, { path: '/api/mai/openapi.json' });
  expect(answer.json()).toEqual(document);
});

test('every failure has the form of the document', async () => {
  const failures = [
    await ask(world.url, { path: '/api/mai/nothing' }),
    await ask(world.url, { method: 'PUT', path: '/api/mai/status' }),
    await ask(world.url, { path: '/api/mai/what-if' }),
    await ask(world.url, { path: '/api/mai/status', headers: { origin: 'http://evil.example' } }),
    await ask(world.url, { path: '/api/mai/decisions/none' }),
  ];
  for (const answer of failures) expectValid('#/components/schemas/Error', answer.json());
  expect(failures.map(({ status }) => status)).toEqual([404, 405, 400, 403, 404]);
});
