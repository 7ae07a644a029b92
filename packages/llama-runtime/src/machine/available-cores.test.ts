import { availableCores, coresIn } from './available-cores.js';

/** Two sockets with two cores each, and two processors for each core. */
const CPUINFO = [0, 1, 2, 3, 4, 5, 6, 7]
  .map((processor) =>
    [
      `processor\t: ${processor}`,
      `physical id\t: ${processor % 2}`,
      `core id\t\t: ${(processor >> 1) % 2}`,
    ].join('\n'),
  )
  .join('\n\n');

test.each([
  ['0-7', 4],
  ['0-3', 4],
  // Processors 0 and 4 are on one core.
  ['0,4', 1],
  ['0-1,4-5', 2],
  ['3', 1],
])('of the processors %s, %i cores may be used', (allowed, expected) => {
  expect(coresIn(CPUINFO, `Cpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\n`)).toBe(expected);
});

test('all cores count where the allowed processors are not known, and none where the cores are not known', () => {
  expect(coresIn(CPUINFO, '')).toBe(4);
  expect(coresIn('processor\t: 0\nmodel name\t: ARMv8\n', 'Cpus_allowed_list:\t0\n')).toBe(0);
});

test('at least one core of this machine may be used', async () => {
  expect(await availableCores()).toBeGreaterThanOrEqual(1);
});
