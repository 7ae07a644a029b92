import { markOf } from './switches.js';

test.each([
  [{}, 'chat failed to load'],
  [{ hadRoom: true }, 'chat failed to load with a longer context than needed'],
])('a failed load with %j is told in words', (facts, failed) => {
  const { text } = markOf({
    type: 'switch-finished',
    atMs: 0,
    tookMs: 5000,
    reason: 'REQUESTED',
    report: {
      outcome: 'switched',
      loaded: [{ instanceIdentifier: 'mai/chat' }],
      unloaded: [],
      failures: [{ modelKey: 'chat', message: 'The engine ended.', ...facts }],
    },
  });
  expect(text).toBe(`loaded mai/chat, ${failed}, because a request needed it`);
});
