import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { selectModel, type SelectionInput } from '@mai/selector';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { SECOND } from '../../test/samples.js';
import { parseRecord } from './parse-record.js';
import { replayDecisions } from './replay-decisions.js';
import type { DecisionRecord } from './decision-record.js';

/** Fields that an earlier program wrote only where their values were known. */
const LEFT_OUT = ['refusal', 'expandedFrom', 'idleInMs', 'speed', 'quality'];

const withoutUnknowns = (record: unknown): string =>
  JSON.stringify(record, (key, value: unknown) =>
    value === null && LEFT_OUT.includes(key) ? undefined : value,
  );

const world = new FakeWorld([
  { modelKey: 'large', bytes: 16 * GIB, kvBytes: 3 * GIB },
  { modelKey: 'small', bytes: 4 * GIB },
]);

/** A record of each decision of a run that loads a model. */
async function recordRun(): Promise<readonly DecisionRecord[]> {
  const records: DecisionRecord[] = [];
  const pilot = await startPilot(world, {
    decisionLog: {
      write: (record) => {
        if (record.type === 'decision') records.push(record);
      },
      flushed: () => Promise.resolve(),
    },
  });
  await world.clock.advance(60 * SECOND);
  await pilot.stop();
  return records;
}

let records: readonly DecisionRecord[];
beforeAll(async () => {
  records = await recordRun();
});

/** A decision of the present program about another input, as an earlier program would have written it. */
function logged(change: (input: SelectionInput) => SelectionInput) {
  const [record] = records;
  if (record === undefined) throw new Error('Nothing was recorded.');
  const input = change(record.input);
  const selection = selectModel(input);
  return { selection, record: { ...record, input, selection } };
}

const selectionIn = (line: string) => {
  const record = parseRecord(line);
  return record?.type === 'decision' ? record.selection : null;
};

test('a log without the unknown fields is replayed', async () => {
  const lines = records.map(withoutUnknowns);
  for (const field of LEFT_OUT) expect(lines.join()).not.toContain(`"${field}":null`);
  expect(lines.join()).not.toBe(records.map((record) => JSON.stringify(record)).join());
  const report = await replayDecisions(lines);
  expect(report).toMatchObject({ difference: null, older: null, unreadable: [] });
  expect(report.reproduced).toBe(records.length);
});

test('the plan for the time after a drain has the unknown fields', () => {
  const { record, selection } = logged((input) => ({
    ...input,
    resources: {
      ...input.resources,
      ram: { ...input.resources.ram, totalBytes: 24 * GIB, availableBytes: 18 * GIB },
    },
    residents: [
      {
        instanceIdentifier: 'mai/small',
        modelKey: 'small',
        loadConfig: DEFAULT_LOAD_CONFIG,
        footprint: world.footprint('small', DEFAULT_LOAD_CONFIG),
        busy: true,
        idleInMs: null,
        speed: null,
        pinned: false,
        foreign: false,
        lastUsedAtMs: null,
        loadedAtMs: null,
        observation: null,
      },
    ],
  }));
  expect(selection.afterDrain?.plan.steps.at(-1)).toMatchObject({ action: 'load' });
  expect(selectionIn(withoutUnknowns(record))).toEqual(JSON.parse(JSON.stringify(selection)));
});

test.each([
  [true, [{ code: 'RAM_UNMEASURED' }]],
  [false, [{ code: 'RESOURCES_NOT_OBSERVABLE' }]],
])(
  'the note about unknown RAM is added where resources are observable: %s',
  (observable, notes) => {
    const { record, selection } = logged(({ resources, ...input }) => ({
      ...input,
      resources: { ...resources, observable, ram: { ...resources.ram, availableBytes: null } },
    }));
    expect(selection.notes).toEqual(notes);
    const earlier = selection.notes.filter(({ code }) => code !== 'RAM_UNMEASURED');
    const line = withoutUnknowns({ ...record, selection: { ...selection, notes: earlier } });
    expect(selectionIn(line)?.notes).toEqual(notes);
    expect(selectionIn(withoutUnknowns(record))?.notes).toEqual(notes);
  },
);
