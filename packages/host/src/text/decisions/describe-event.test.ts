import type { Rejection } from '@mai/selector';
import { describeReplan } from './describe-event.js';

const MIB = 2 ** 20;
const chose = (modelKey: string) => ({ selection: { chosen: { modelKey } } });
const instead = (modelKey: string, rejection: Rejection) => ({
  selection: {
    chosen: { modelKey },
    rejected: [{ modelKey: 'large', candidateIndex: 0, options: [], rejection }],
  },
});
const TOO_LARGE: Rejection = {
  code: 'INSUFFICIENT_RAM',
  shortfallBytes: 104 * MIB,
  neededBytes: 648 * MIB,
  allowedBytes: 544 * MIB,
  growthBytes: 0,
};

test('a switch that loads another model than planned says why', () => {
  expect(
    describeReplan({ first: chose('large'), last: instead('small', TOO_LARGE), failures: [] }),
  ).toBe(
    'The planned large no longer fitted after the unload: it needs 104 MiB more RAM (takes 648 MiB, allowed 544 MiB).',
  );
});

test('a switch that loads the planned model says nothing of its plan', () => {
  const planned: Rejection = { code: 'PREFERRED_CANDIDATE_FITS', preferredModelKey: 'small' };
  expect(
    describeReplan({ first: chose('small'), last: instead('small', TOO_LARGE), failures: [] }),
  ).toBeNull();
  expect(
    describeReplan({ first: chose('large'), last: instead('small', planned), failures: [] }),
  ).toBeNull();
});
