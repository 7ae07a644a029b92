import { guestsAt, type FleetRules } from './own-facts.js';

const rules = (memoryRatio: number, hours: FleetRules['guests']['hours']): FleetRules => ({
  labels: {},
  chains: null,
  requiredLabels: {},
  minTokensPerSecond: 6,
  guests: { memoryRatio, hours },
});
const at = (hour: number, minute = 0): Date => new Date(2031, 4, 4, hour, minute);
const NIGHT = { fromMinute: 22 * 60, toMinute: 7 * 60 };
const OFFICE = { fromMinute: 9 * 60, toMinute: 17 * 60 };

test.each([
  [NIGHT, at(21, 59), false],
  [NIGHT, at(22), true],
  [NIGHT, at(3), true],
  [NIGHT, at(6, 59), true],
  [NIGHT, at(7), false],
  [OFFICE, at(8, 59), false],
  [OFFICE, at(9), true],
  [OFFICE, at(17), false],
  [null, at(12), true],
])('guests within the hours %j, at %s: %s', (hours, now, allowed) => {
  expect(guestsAt(rules(0.5, hours), now)).toEqual(allowed ? { memoryRatio: 0.5 } : null);
});

test('a share of 0 lets guests load nothing at any hour', () => {
  expect(guestsAt(rules(0, null), at(12))).toBeNull();
});
