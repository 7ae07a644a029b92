import { fakeTimers } from '../../test/fake-timers.js';
import { CallFault } from './call-fault.js';
import { Session, type CallSpec } from './session.js';
import { SessionPool } from './session-pool.js';
import type { Wire, WireOptions } from './wire.js';

const VERSION = { version: '1', build: 1 };
const spec = (part: Partial<CallSpec> = {}): CallSpec => ({
  namespace: 'system',
  endpoint: 'version',
  timeoutMs: 1000,
  ...part,
});
const never = (): Promise<never> => new Promise(() => undefined);

/** A wire without a server. It counts its closings. */
function fakeWire(connected: boolean | null = true): { wire: Wire; closed: () => number } {
  let closed = 0;
  const unused = (): never => {
    throw new Error('not part of this test');
  };
  const wire: Wire = {
    version: () => Promise.resolve(VERSION),
    listDownloadedModels: unused,
    listDownloadedModelVariants: unused,
    listLoaded: unused,
    getModelInfo: unused,
    getLoadConfig: unused,
    getInstanceProcessingState: unused,
    estimateModelUsage: unused,
    loadModel: unused,
    unloadModel: unused,
    predict: unused,
    embedString: unused,
    surveyHardware: unused,
    getEngineSelections: unused,
    lmLinkStatus: unused,
    streamEngineLogs: unused,
    isConnected: () => connected,
    settled: () => Promise.resolve(),
    close: () => {
      closed += 1;
      return Promise.resolve();
    },
  };
  return { wire, closed: () => closed };
}

function session(connected: boolean | null = true) {
  const timers = fakeTimers();
  const { wire, closed } = fakeWire(connected);
  return { timers, closed, session: new Session(wire, timers, () => undefined) };
}

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => error,
  );

test('an answer in time leaves no timer', async () => {
  const { timers, session: open } = session();
  expect(await open.call(spec({ timeoutMs: 60_000 }), (wire) => wire.version())).toBe(VERSION);
  expect(timers.pending).toBe(0);
  expect(open.retired).toBe(false);
});

test('a call that is never answered ends at its deadline and closes the sockets', async () => {
  const { timers, closed, session: open } = session();
  const call = outcome(open.call(spec({ timeoutMs: 1000 }), never));
  await timers.advance(999);
  expect(open.retired).toBe(false);
  await timers.advance(1);
  expect(await call).toMatchObject({ kind: 'timed-out' });
  expect(open.retired).toBe(true);
  expect(closed()).toBe(1);
  expect(timers.pending).toBe(0);
});

test('a call ends early where the SDK reports that its socket is not open', async () => {
  const missing = session(false);
  const call = outcome(missing.session.call(spec({ timeoutMs: 60_000 }), never));
  await missing.timers.advance(2500);
  expect(await call).toMatchObject({ kind: 'timed-out' });
  const unknown = session(null);
  void outcome(unknown.session.call(spec({ timeoutMs: 60_000 }), never));
  await unknown.timers.advance(59_999);
  expect(unknown.session.retired).toBe(false);
});

test('a retired session closes its sockets after its last call', async () => {
  const { timers, closed, session: open } = session();
  const stuck = outcome(open.call(spec({ timeoutMs: 10 }), never));
  let answer: (value: number) => void = () => undefined;
  const slow = open.call(
    spec({ endpoint: 'listDownloadedModels' }),
    () => new Promise<number>((resolve) => (answer = resolve)),
  );
  await timers.advance(10);
  expect(await stuck).toMatchObject({ kind: 'timed-out' });
  expect(closed()).toBe(0);
  answer(7);
  expect(await slow).toBe(7);
  expect(closed()).toBe(1);
});

test('a warning ends the call that it names', async () => {
  const { session: open } = session();
  const named = outcome(open.call(spec({ namespace: 'llm', endpoint: 'listLoaded' }), never));
  const other = outcome(open.call(spec({ namespace: 'llm', endpoint: 'getModelInfo' }), never));
  open.reportWarning('llm', 'Produced communication warning: endpointName = listLoaded, ...');
  expect(await named).toMatchObject({ kind: 'not-understood', call: 'llm.listLoaded' });
  expect(await Promise.race([other, Promise.resolve('open')])).toBe('open');
});

test('a warning about a call that has ended ends no open call', async () => {
  const { timers, session: open } = session();
  const call = outcome(open.call(spec(), never));
  open.reportWarning('system', 'Received rpcResult for unknown rpc, callId = 3');
  open.reportWarning('llm', 'Produced communication warning: something of another namespace');
  await timers.advance(999);
  expect(await Promise.race([call, Promise.resolve('open')])).toBe('open');
});

test('after a warning of unknown meaning a call waits 250 ms for its answer', async () => {
  const { timers, session: open } = session();
  const call = outcome(open.call(spec(), never));
  open.reportWarning('system', 'Received communication warning from the server (unknown): hm');
  await timers.advance(249);
  expect(await Promise.race([call, Promise.resolve('open')])).toBe('open');
  await timers.advance(1);
  expect(await call).toMatchObject({ kind: 'not-understood' });
});

test('an abort rejects with its reason, which may have any type, and retires the session', async () => {
  for (const reason of [new Error('no'), 'text', { code: 1 }]) {
    const { session: open } = session();
    const cancel = new AbortController();
    const call = outcome(open.call(spec({ signal: cancel.signal }), never));
    cancel.abort(reason);
    expect(await call).toBe(reason);
    expect(open.retired).toBe(true);
  }
});

test('closing twice ends open calls and closes the sockets once', async () => {
  const { closed, session: open } = session();
  const call = outcome(open.call(spec(), never));
  await Promise.all([open.close(), open.close()]);
  expect(await call).toMatchObject({ kind: 'closed' });
  expect(closed()).toBe(1);
});

test.each([
  ['a socket error', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'connection', true],
  ['a closed socket', new Error('WebSocket connection closed'), 'connection', true],
  ['a refused token', new Error('Failed to authenticate: bad token'), 'unauthorized', true],
  ['an answer', new Error('Cannot find a model with path "x"'), 'answered', false],
])('%s becomes a fault of its kind', async (_, error, kind, retires) => {
  const { session: open } = session();
  const call = outcome(open.call(spec(), () => Promise.reject(error)));
  expect(await call).toMatchObject({ kind, cause: error });
  expect(open.retired).toBe(retires);
});

test('the pool replaces a retired session, and does not repeat a call that LM Studio lacks', async () => {
  const timers = fakeTimers();
  const opened: WireOptions[] = [];
  const pool = new SessionPool({
    webSocketUrl: 'ws://x:1',
    newCredentials: () => ({ clientIdentifier: 'a', clientPasskey: 'b' }),
    timers,
    loadWire: () =>
      Promise.resolve((options) => {
        opened.push(options);
        return fakeWire().wire;
      }),
  });
  await pool.read(spec(), (wire) => wire.version());
  await pool.read(spec(), (wire) => wire.version());
  expect(opened).toHaveLength(1);

  const survey = spec({ namespace: 'runtime', endpoint: 'surveyHardware' });
  const asked = pool.readIfAvailable(survey, never);
  await timers.advance(1000);
  expect(await asked).toBeNull();
  let calls = 0;
  const count = (): Promise<number> => Promise.resolve(++calls);
  expect(await pool.readIfAvailable(survey, count)).toBeNull();
  expect(calls).toBe(0);

  await pool.read(spec(), (wire) => wire.version());
  expect(opened).toHaveLength(2);
  opened[1]?.onDisconnected();
  expect(await pool.readIfAvailable(survey, count)).toEqual({ value: 1 });
  expect(opened).toHaveLength(3);

  await pool.close();
  expect(await outcome(pool.read(spec(), (wire) => wire.version()))).toMatchObject({
    kind: 'closed',
  });
});

test('a call that timed out once is asked again after a minute, then after two, and one that is not understood never', async () => {
  const timers = fakeTimers();
  const pool = new SessionPool({
    webSocketUrl: 'ws://x:1',
    newCredentials: () => ({ clientIdentifier: 'a', clientPasskey: 'b' }),
    timers,
    loadWire: () => Promise.resolve(() => fakeWire().wire),
  });
  let asked = 0;
  const busy = (): Promise<never> => {
    asked += 1;
    return never();
  };
  const survey = spec({ namespace: 'runtime', endpoint: 'surveyHardware' });
  const askBusy = async () => {
    const answer = pool.readIfAvailable(survey, busy);
    await timers.advance(1000);
    expect(await answer).toBeNull();
    return asked;
  };
  expect(await askBusy()).toBe(1);
  await timers.advance(59_000);
  expect(await askBusy()).toBe(1);
  expect(await askBusy()).toBe(2);
  await timers.advance(118_000);
  expect(await askBusy()).toBe(2);
  await timers.advance(1000);
  expect(await pool.readIfAvailable(survey, () => Promise.resolve(7))).toEqual({ value: 7 });

  const lacking = new CallFault('not-understood', 'system.listLoaded', 'unknown endpoint');
  const refuse = (): Promise<never> => Promise.reject(lacking);
  const unknown = spec({ endpoint: 'listLoaded' });
  expect(await pool.readIfAvailable(unknown, refuse)).toBeNull();
  await timers.advance(24 * 3_600_000);
  expect(await pool.readIfAvailable(unknown, () => Promise.resolve(7))).toBeNull();
  await pool.close();
});

test('only a call that LM Studio has not answered yet has the shorter deadline', async () => {
  const timers = fakeTimers();
  const pool = new SessionPool({
    webSocketUrl: 'ws://x:1',
    newCredentials: () => ({ clientIdentifier: 'a', clientPasskey: 'b' }),
    timers,
    loadWire: () => Promise.resolve(() => fakeWire().wire),
  });
  const answerAfter = (ms: number) => () =>
    new Promise<string>((resolve) => timers.after(ms, () => resolve('late')));
  const answered = spec();
  await pool.read(answered, (wire) => wire.version());
  const busy = pool.readIfAvailable(answered, answerAfter(999), 500);
  const untried = pool.readIfAvailable(spec({ endpoint: 'listLoaded' }), answerAfter(999), 500);
  await timers.advance(1000);
  expect(await busy).toEqual({ value: 'late' });
  expect(await untried).toBeNull();
  await pool.close();
});

test('a read over a broken connection is repeated once over a new connection', async () => {
  let opened = 0;
  const pool = new SessionPool({
    webSocketUrl: 'ws://x:1',
    newCredentials: () => ({ clientIdentifier: 'a', clientPasskey: 'b' }),
    timers: fakeTimers(),
    loadWire: () =>
      Promise.resolve(() => {
        opened += 1;
        return fakeWire().wire;
      }),
  });
  let failures = 1;
  const flaky = (): Promise<string> =>
    failures-- > 0
      ? Promise.reject(new Error('WebSocket connection closed'))
      : Promise.resolve('fine');
  expect(await pool.read(spec(), flaky)).toBe('fine');
  expect(opened).toBe(2);
  failures = 2;
  expect(await outcome(pool.read(spec(), flaky))).toMatchObject({ kind: 'connection' });
});
