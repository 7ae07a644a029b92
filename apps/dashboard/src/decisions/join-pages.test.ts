import type { Decisions } from '../api/api.generated.js';
import { joinNewest } from './join-pages.js';

const page = (ids: readonly number[], next: string | null): Decisions => ({
  decisions: ids.map((id) => ({
    id: String(id),
    atMs: id,
    untilMs: null,
    decision: 'keep',
    direction: null,
    modelKey: null,
    reason: 'STEADY',
    acted: false,
    outcome: null,
    tookMs: null,
    headline: '',
  })),
  next,
  unreadableLines: 0,
});
const ids = ({ decisions }: Decisions) => decisions.map(({ id }) => Number(id));

test('keeps the older pages that are shown below a new first page', () => {
  const joined = joinNewest(page([5, 4, 3], '3-1'), page([4, 3, 2, 1], '1-1'));
  expect(ids(joined)).toEqual([5, 4, 3, 2, 1]);
  expect(joined.next).toBe('1-1');
});

test('shows only the new page where decisions between it and the shown pages are missing', () => {
  expect(joinNewest(page([9, 8], '8-1'), page([4, 3], '3-1'))).toEqual(page([9, 8], '8-1'));
});

test('shows the new page where nothing older is shown', () => {
  expect(joinNewest(page([2, 1], '1-1'), null)).toEqual(page([2, 1], '1-1'));
  expect(joinNewest(page([3, 2], '2-1'), page([2], null))).toEqual(page([3, 2], '2-1'));
  expect(joinNewest(page([], null), page([2, 1], null))).toEqual(page([], null));
});
