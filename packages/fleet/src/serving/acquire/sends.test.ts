import { hostOf, loadedModel } from '../../../test/known-hosts.js';
import { systemClock } from '../../clock.js';
import { createSends } from './sends.js';

const heard = (sequence: number, epoch = 'epoch of attic') => [
  hostOf('attic', [loadedModel()], { heartbeat: { epoch, sequence } }),
];
let hosts = heard(5);
const sendsOf = () => createSends(systemClock, () => hosts);

beforeEach(() => {
  hosts = heard(5);
});

test('a request whose answer has ended is kept while the newest heartbeat counts it', () => {
  const sends = sendsOf();
  const send = sends.begin('attic', 'large', null);
  send.granted('large', 'mai:large');
  hosts = heard(6);
  send.end();
  expect(sends.list()).toMatchObject([{ instanceIdentifier: 'mai:large', ended: true }]);
  hosts = heard(7);
  expect(sends.list()).toEqual([]);
});

test.each([
  { to: heard(5), why: 'no heartbeat has come since the lease' },
  { to: heard(9, 'later'), why: 'the host has restarted' },
])('a request whose answer has ended is forgotten where $why', ({ to }) => {
  const sends = sendsOf();
  const send = sends.begin('attic', 'large', null);
  send.granted('large', 'mai:large');
  hosts = to;
  send.end();
  expect(sends.list()).toEqual([]);
});

test('a request that got no lease is forgotten with its end', () => {
  const sends = sendsOf();
  const send = sends.begin('attic', 'large', null);
  hosts = heard(6);
  send.end();
  expect(sends.list()).toEqual([]);
});

test('the end of a request counts once', () => {
  const sends = sendsOf();
  const send = sends.begin('attic', 'large', null);
  send.granted('large', 'mai:large');
  hosts = heard(6);
  send.end();
  send.end();
  expect(sends.list()).toHaveLength(1);
});
