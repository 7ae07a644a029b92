import * as host from '@mai/host';
import type { ControlPort, ControlWords } from './control-port.js';

test('a host satisfies the control port, and its wording functions satisfy the words', () => {
  const asPort = (one: host.Host): ControlPort => one;
  const { explainRejection, describeTradeOffs, describeObstacle, formatBytes } = host;
  const words: Omit<ControlWords, 'decisionIdOf' | 'explainEpisode'> = {
    explainRejection,
    describeTradeOffs,
    describeObstacle,
    formatBytes,
  };
  expect(typeof asPort).toBe('function');
  expect(words.explainRejection({ code: 'NOT_DOWNLOADED' })).toBe('not downloaded');
});
