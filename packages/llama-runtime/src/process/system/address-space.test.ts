import { addressSpaceHint, addressSpaceLimitBytes, limitIn } from './address-space.js';

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    `Max address space         ${soft.padEnd(20)} unlimited            bytes     `,
    'Max file locks            unlimited            unlimited            locks     ',
  ].join('\n');

test.each([
  ['unlimited', null],
  ['6144000000', 6_144_000_000],
])('reads the soft limit: %s', (soft, bytes) => {
  expect(limitIn(limits(soft))).toBe(bytes);
});

test('knows no limit in a text without the line', () => {
  expect(limitIn('')).toBeNull();
});

test('reads the limit of this process where there is one', () => {
  const bytes = addressSpaceLimitBytes();
  expect(bytes === null || bytes > 0).toBe(true);
});

test('names the limit and the next step, and is silent without a limit', () => {
  expect(addressSpaceHint(6_144_000_000)).toMatch(/limited to 5\.7 GiB.*ulimit -v unlimited/);
  expect(addressSpaceHint(null)).toBeNull();
});
