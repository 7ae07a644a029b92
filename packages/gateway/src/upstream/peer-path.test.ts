import { createFakeClock, type FakeClock } from '../../test/fakes/fake-clock.js';
import { PEER_SILENT } from './out-of-reach.js';
import { createPeerPath, type PeerPath } from './peer-path.js';

interface Asked {
  readonly atMs: number;
  readonly settle: (error: Error | null) => void;
  isCancelled: boolean;
}

let clock: FakeClock;
let questions: Asked[];
/** What a question gets at once; `silence`: nothing. */
let answer: 'sign' | 'silence' | Error;
let path: PeerPath;
let failures: [name: string, atMs: number][];
beforeEach(() => {
  clock = createFakeClock();
  questions = [];
  failures = [];
  answer = 'silence';
  path = createPeerPath(clock, (settle) => {
    const asked: Asked = { atMs: clock.monotonicMs(), settle, isCancelled: false };
    questions.push(asked);
    if (answer !== 'silence') settle(answer === 'sign' ? null : answer);
    return { cancel: () => (asked.isCancelled = true) };
  });
});

const begin = (name: string) => {
  const use = path.begin((error) => {
    expect(error).toMatchObject({ code: PEER_SILENT });
    failures.push([name, clock.monotonicMs()]);
    use.end();
  });
  return use;
};
const askedAt = (): number[] => questions.map(({ atMs }) => atMs);

test('a request whose host gives no sign of life fails after two questions of two and four seconds', async () => {
  begin('one');
  await clock.advance(60_000);
  expect([askedAt(), failures]).toEqual([[1000, 3000], [['one', 7000]]]);
  expect(questions.every(({ isCancelled }) => isCancelled)).toBe(true);
  expect(clock.pending).toBe(0);
});

test('the first token of an answer may take eleven minutes, as long as the host gives signs of life', async () => {
  answer = 'sign';
  begin('one');
  await clock.advance(11 * 60_000);
  expect(failures).toEqual([]);
  // After one second, and then every two seconds.
  expect([askedAt().slice(0, 3), questions.length]).toEqual([[1000, 3000, 5000], 330]);
});

const failed = (facts: object): Error => Object.assign(new Error('It failed.'), facts);

test.each([
  ['a reset of an open connection', failed({ code: 'ECONNRESET', syscall: 'read' })],
  ['a connection that was closed before the answer', failed({ code: 'UND_ERR_SOCKET' })],
  ['a refused certificate', failed({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })],
  ['an error without a code', failed({})],
  // The host may be well. Only this machine cannot ask it.
  ['a lack of open files on this machine', failed({ code: 'EMFILE', syscall: 'connect' })],
])('%s ends nothing', async (_what, error) => {
  answer = error;
  begin('one');
  await clock.advance(60_000);
  expect(failures).toEqual([]);
});

test.each([
  ['a refused connection', { code: 'ECONNREFUSED', syscall: 'connect' }],
  ['a refusal at each address of a name', { code: 'ECONNREFUSED', errors: [] }],
  ['a refusal of a local rule', { code: 'EACCES', syscall: 'connect' }],
  ['a firewall that refuses the protocol', { code: 'ENOPROTOOPT', syscall: 'connect' }],
  ['a network that is down', { code: 'ENETDOWN', syscall: 'connect' }],
])('%s, twice in a row, ends the requests that wait in silence', async (_what, facts) => {
  answer = failed(facts);
  begin('one');
  await clock.advance(60_000);
  expect(failures).toEqual([['one', 7000]]);
});

test.each(['EHOSTUNREACH', 'ECONNREFUSED'])(
  'a way that is cut for a moment with %s ends nothing',
  async (code) => {
    answer = failed({ code });
    begin('one');
    await clock.advance(3000);
    answer = 'sign';
    questions.at(-1)?.settle(null);
    await clock.advance(60_000);
    expect(failures).toEqual([]);
  },
);

test('an answer to the second question is a sign of life', async () => {
  begin('one');
  await clock.advance(6999);
  answer = 'sign';
  questions[1]?.settle(null);
  await clock.advance(60_000);
  expect([questions.length > 20, failures]).toEqual([true, []]);
});

test('whatever arrives for one request is a sign of life for all, and nothing is asked while answers flow', async () => {
  const streaming = begin('streaming');
  begin('waiting');
  for (let ms = 0; ms < 20_000; ms += 500) {
    streaming.heard();
    await clock.advance(500);
  }
  expect([questions, failures]).toEqual([[], []]);
  await clock.advance(60_000);
  expect(failures.map(([name]) => name).sort()).toEqual(['streaming', 'waiting']);
});

test('a request that began a moment ago is not ended with those that have waited', async () => {
  begin('waiting');
  await clock.advance(6500);
  begin('new');
  await clock.advance(500);
  expect(failures).toEqual([['waiting', 7000]]);
  await clock.advance(60_000);
  expect(failures.map(([name]) => name)).toEqual(['waiting', 'new']);
});

test('the end of the last request ends the question and the timer', async () => {
  const use = begin('one');
  await clock.advance(1500);
  use.end();
  expect([questions[0]?.isCancelled, clock.pending]).toEqual([true, 0]);
  await clock.advance(60_000);
  expect([questions.length, failures]).toEqual([1, []]);
});
