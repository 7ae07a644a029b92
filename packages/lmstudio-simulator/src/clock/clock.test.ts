import { manualClock, realClock } from '../index.js';

test('a manual clock runs timers in the order of their times, at their times', async () => {
  const clock = manualClock(1000);
  const ran: string[] = [];
  const note = (name: string) => (): void => void ran.push(`${name}@${clock.now()}`);
  clock.schedule(note('late'), 20);
  clock.schedule(() => {
    note('early')();
    clock.schedule(note('nested'), 5);
  }, 10);
  clock.schedule(note('same time, later'), 20);
  const cancel = clock.schedule(note('never'), 15);
  cancel();
  await clock.advance(19);
  expect(ran).toEqual(['early@1010', 'nested@1015']);
  expect([clock.now(), clock.pending]).toEqual([1019, 2]);
  await clock.advance(1);
  expect(ran.slice(2)).toEqual(['late@1020', 'same time, later@1020']);
  expect(clock.pending).toBe(0);
});

test("the real clock does not fire at once for a delay above setTimeout's maximum", async () => {
  const clock = realClock();
  let fired = false;
  const cancel = clock.schedule(() => (fired = true), 2 ** 40);
  await new Promise((resolve) => setTimeout(resolve, 5));
  cancel();
  expect(fired).toBe(false);
});
