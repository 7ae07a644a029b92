import { keep, once } from './once.js';

/** A function that fails at its first call, and then returns the number of its call. */
function failingFirst(): { readonly make: () => Promise<number>; readonly calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    make: async () => {
      calls += 1;
      if (calls === 1) throw new Error('away');
      return calls;
    },
  };
}

test('once makes a value once, also for concurrent calls', async () => {
  let calls = 0;
  const value = once(async () => (calls += 1));
  expect(await Promise.all([value(), value()])).toEqual([1, 1]);
  expect(await value()).toBe(1);
});

test('once tries again after a failure, and keeps the value from then on', async () => {
  const { make, calls } = failingFirst();
  const value = once(make);
  await expect(Promise.all([value(), value()])).rejects.toThrow('away');
  expect(await value()).toBe(2);
  expect(await value()).toBe(2);
  expect(calls()).toBe(2);
});

test('keep removes a value that failed, and not the one that has replaced it', async () => {
  const values = new Map<string, Promise<number>>();
  const failed = keep(values, 'a', Promise.reject<number>(new Error('away')));
  const replaced = keep(values, 'b', Promise.reject<number>(new Error('away')));
  const newer = keep(values, 'b', Promise.resolve(1));
  await expect(failed).rejects.toThrow('away');
  await expect(replaced).rejects.toThrow('away');
  expect([...values]).toEqual([['b', newer]]);
});
