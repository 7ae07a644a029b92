import { systemClock } from '../clock.js';
import { openChangeFeed } from './change-feed.js';

it('gives each reader every name once, however often a host changes', async () => {
  const feed = openChangeFeed(systemClock);
  const stop = new AbortController();
  const turns: (readonly string[])[] = [];
  const reading = (async () => {
    for await (const names of feed.changes(stop.signal)) turns.push(names);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 1000; turn += 1) feed.note(turn % 2 === 0 ? 'a' : 'b');
  while (turns.flat().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(turns.flat()).toEqual(['a', 'b']);
  stop.abort();
  await reading;
});

it('ends every reader when it is closed, also one that waits', async () => {
  const feed = openChangeFeed(systemClock);
  const read = async (): Promise<string> => {
    for await (const names of feed.changes(new AbortController().signal)) names.at(0);
    return 'ended';
  };
  const readers = [read(), read()];
  await new Promise((resolve) => setImmediate(resolve));
  feed.note('a');
  feed.close();
  expect(await Promise.all(readers)).toEqual(['ended', 'ended']);
});
