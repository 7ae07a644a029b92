import { endAll } from './end-all.js';

test('calls every function in turn, also after one that fails, and throws the first error', async () => {
  const calls: string[] = [];
  const end = (name: string, fails: boolean) => async () => {
    calls.push(`${name} begins`);
    await Promise.resolve();
    if (fails) throw new Error(name);
    calls.push(`${name} has ended`);
  };
  const ends = [end('one', false), end('two', true), end('three', true), end('four', false)];
  await expect(endAll(ends)).rejects.toThrow('two');
  expect(calls).toEqual([
    'one begins',
    'one has ended',
    'two begins',
    'three begins',
    'four begins',
    'four has ended',
  ]);
});

test('takes functions that are not asynchronous', async () => {
  const calls: number[] = [];
  await endAll([
    () => {
      calls.push(1);
    },
    () => {
      throw new Error('no');
    },
  ]).catch(() => calls.push(2));
  expect(calls).toEqual([1, 2]);
});
