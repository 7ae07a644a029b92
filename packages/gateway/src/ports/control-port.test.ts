import * as host from '@mai/host';
import type { ControlPort, ControlWords } from './control-port.js';

test('a host satisfies the control port, and its wording functions satisfy the words', () => {
  const asPort = (one: host.Host): ControlPort => one;
  const { explainRejection, describeTradeOffs, describeObstacle, formatBytes, explainEpisode } =
    host;
  const words: Omit<ControlWords, 'decisionIdOf'> = {
    explainRejection,
    describeTradeOffs,
    describeObstacle,
    formatBytes,
    explainEpisode,
  };
  expect(typeof asPort).toBe('function');
  expect(words.explainRejection({ code: 'NOT_DOWNLOADED' })).toBe('not downloaded');
});
