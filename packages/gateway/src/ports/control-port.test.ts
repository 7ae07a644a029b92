import * as host from '@mai/host';
import type { ControlPort, ControlWords } from './control-port.js';

test('a host satisfies the control port, and its wording functions satisfy the words', () => {
  const asPort = (one: host.Host): ControlPort => one;
  const words: ControlWords = host;
  expect(typeof asPort).toBe('function');
  expect(words.explainRejection({ code: 'NOT_DOWNLOADED' })).toBe('not downloaded');
});
