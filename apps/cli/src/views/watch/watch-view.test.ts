import { textWidth } from '@mai/host';
import type { AutopilotState, Verdict } from '@mai/autopilot';
import { selectModel, type Resident } from '@mai/selector';
import { createTextOutput } from '../../../test/fake-io.js';
import {
  candidateOf,
  GIB,
  inputOf,
  residentOf as resident,
} from '../../../test/selection-input.js';
import type { WatchPicture } from './watch-view.js';
import { renderWatch } from './watch-view.js';

const NOW_MS = 1_000_000;
const CANDIDATES = [candidateOf('big-model', 'large', 16), candidateOf('small-model', 'small', 4)];

/** A decision with the given use by other programs and by residents. */
function decide(
  othersGib: number,
  residents: readonly Resident[],
  verdict: Partial<Verdict> = {},
): NonNullable<AutopilotState['decision']> {
  const input = inputOf(NOW_MS, othersGib, CANDIDATES, residents);
  return {
    id: null,
    target: null,
    atMs: NOW_MS,
    input,
    selection: selectModel({ ...input, upgradeMarginRatio: 0.05 }),
    verdict: { act: false, reason: 'STEADY', waitMs: null, upgradeBelowRatio: 0.75, ...verdict },
    timeToHardLimitMs: null,
  };
}

function render(
  decision: AutopilotState['decision'],
  state: Partial<AutopilotState> = {},
  picture: Partial<WatchPicture> = {},
): string {
  const text = renderWatch(
    {
      runtime: 'LM Studio 0.4.18 at 127.0.0.1:1234',
      dryRun: false,
      stopped: false,
      loading: null,
      gone: new Set<string>(),
      log: [],
      nowMs: NOW_MS,
      rows: 24,
      state: {
        status: 'running',
        decision,
        fault: null,
        breakerOpenUntilMs: null,
        putOffUntilMs: null,
        failures: {},
        pins: [],
        yields: [],
        leased: [],
        waiting: 0,
        idle: false,
        ...state,
      },
      ...picture,
    },
    createTextOutput({ columns: 80 }),
  );
  for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  return text.replaceAll(/\n +(?=[a-z(])/g, ' ');
}

test('before the first decision, says that it reads memory and models', () => {
  expect(render(null)).toMatch(
    /reading memory and models \.\.\.[^]*nothing is loaded[^]*Decision {2}none yet/,
  );
});

test('while the best model is loaded, names the condition for a step down', () => {
  const text = render(decide(4, [resident('big-model', 16)]));
  expect(text).toMatch(/mai\/big-model +8,192 +16\.0 GiB +idle +Mai/);
  expect(text).toContain('keep big-model: it is loaded and is the best model that fits.');
  expect(text).toContain(
    'a step down when RAM stays above 80 % for 20 s (now 5.6 GiB below); at once above 92 %',
  );
  expect(text).not.toContain('step up');
});

test('while a smaller model is loaded, names the memory that the larger one needs', () => {
  const text = render(decide(12, [resident('small-model', 4)]));
  expect(text).toContain('keep small-model');
  expect(text).toMatch(
    /a step up to big-model, which needs \d.* more RAM \(takes 16\.0 GiB, allowed .*\), to stay below 75 % of RAM/,
  );
});

test('names the time of a step down that is due', () => {
  const due = decide(14, [resident('big-model', 16)], { reason: 'DWELLING', waitMs: 12_000 });
  expect(render(due)).toContain(
    'step down to small-model, the best model that fits, in 12 s if it is still due.',
  );
  const text = render({ ...due, timeToHardLimitMs: 30_000 });
  expect(text).toContain('at this rate memory reaches its hard limit in 30 s');
});

test('names the busy model that a step down waits for', () => {
  const busy = decide(14, [resident('big-model', 16, { busy: true })], { reason: 'DRAINING' });
  expect(render(busy)).toMatch(/once mai\/big-model is idle/);
  expect(render(busy, { putOffUntilMs: NOW_MS + 15_000 })).toContain(
    'Postponed for 15 s: the model to unload is busy.',
  );
});

test('shows too many failed loads, an expired idle time, and that nothing fits', () => {
  const none = decide(4, []);
  expect(render(none, { breakerOpenUntilMs: NOW_MS + 600_000 })).toContain(
    'No load is tried for 10 min: too many loads failed.',
  );
  expect(render(none, { idle: true })).toContain(
    'Its idle time is over, so the next request loads it again.',
  );
  expect(render(decide(31, []))).toContain('Decision  nothing fits.');
});

test('shows a load in progress, and hides the instance that was unloaded for it', () => {
  const due = decide(14, [resident('big-model', 16)]);
  const text = render(
    due,
    { status: 'switching' },
    {
      gone: new Set(['mai/big-model']),
      loading: { modelKey: 'small-model', ratio: 0.5 },
    },
  );
  expect(text).toContain('nothing is loaded');
  expect(text).toMatch(/Loading small-model █{10} +50 %/);
  expect(text).not.toContain('mai/big-model');
});

test('shows pins, yields, a fault and a dry run', () => {
  const text = render(
    decide(4, [resident('big-model', 16, { pinned: true, busy: true, foreign: true })]),
    {
      fault: new Error('away'),
      pins: [{ target: 'big-model', reason: 'pin', sinceMs: 0 }],
      yields: [
        {
          name: 'game',
          bytes: 8 * GIB,
          pools: 'all',
          sinceMs: 0,
          untilMs: NOW_MS + 60_000,
          processId: null,
        },
      ],
    },
    { dryRun: true },
  );
  expect(text).toMatch(/^mai watch {2}running {2}retrying {2}dry run {2}LM Studio/);
  expect(text).toMatch(/16\.0 GiB +busy, pinned *\n/);
  expect(text).toContain('Yield     8.0 GiB free (game), for another 1 min');
  expect(text).toContain('Pinned    big-model');
});

test('shows as many events as fit on the screen, the newest last, and every event after the end', () => {
  const log = Array.from({ length: 10 }, (_, index) => ({
    atMs: NOW_MS - 1000 * (10 - index),
    text: `event ${index}`,
  }));
  const decision = decide(4, [resident('big-model', 16)]);
  const shown = (rows: number) =>
    render(decision, {}, { log, rows })
      .split('\n')
      .filter((line) => line.includes('event'));
  expect(shown(50)).toHaveLength(10);
  expect(shown(5)).toEqual([
    '       3.0 s  event 7',
    '       2.0 s  event 8',
    '       1.0 s  event 9',
  ]);
  const end = render(null, { status: 'stopping' }, { log, stopped: true, rows: 5 });
  expect(end.split('\n')[0]).toBe('mai watch  stopped  LM Studio 0.4.18 at 127.0.0.1:1234');
  expect(end).not.toContain('Decision');
});
