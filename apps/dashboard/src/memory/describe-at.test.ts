import { describeAt } from './describe-at.js';

const GIB = 1024 ** 3;
const seconds = Math.floor(Date.now() / 1000);

test('says the figures of each pool at one time', () => {
  const stack = {
    times: [seconds, seconds + 1],
    totalBytes: 16 * GIB,
    limitBytes: 12 * GIB,
    hardLimitBytes: 14 * GIB,
    layers: [
      { key: 'others', bytes: [4 * GIB, null], tops: [4 * GIB, null] },
      { key: 'yielded', bytes: [2 * GIB, null], tops: [6 * GIB, null] },
      { key: 'mai/a', bytes: [6 * GIB, null], tops: [12 * GIB, null] },
      { key: 'mai/b', bytes: [0, null], tops: [12 * GIB, null] },
    ],
  };
  const say = (index: number): string =>
    describeAt([{ label: 'RAM', stack }], index, (key) => key.replace('mai/', ''));
  expect(say(0)).toMatch(
    /^\d\d:\d\d:\d\d\. RAM: other programs 4\.0 GiB, kept free by yields 2\.0 GiB, a 6\.0 GiB, free 4\.0 GiB$/,
  );
  expect(say(1)).toMatch(/\. RAM: not known$/);
  expect(say(9)).toBe('');
});
