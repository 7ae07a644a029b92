import fc from 'fast-check';
import { row } from '../../test/simulation.js';
import { parseTrace } from './parse-trace.js';

const first = {
  tMs: 0,
  ram: { totalBytes: 34359738368, othersBytes: 6442450944 },
  gpus: [{ totalBytes: 25769803776, othersBytes: 1073741824, unified: false }],
  cpuOthersRatio: 0.12,
  onBattery: false,
  requests: { ratePerMinute: 4, meanSeconds: 8 },
};

describe('parseTrace', () => {
  it('takes the value of the row before for a field that is left out', async () => {
    const { rows } = await parseTrace(
      [
        JSON.stringify(first),
        '',
        '{"tMs": 1000, "ram": {"othersBytes": 5}, "events": [{"type": "failNextLoads"}]}',
      ].join('\n'),
    );
    expect(rows?.[0]).toEqual({ ...first, events: [] });
    expect(rows?.[1]).toEqual({
      ...first,
      tMs: 1000,
      ram: { totalBytes: 34359738368, othersBytes: 5 },
      events: [{ type: 'failNextLoads', count: 1 }],
    });
  });

  it('reads every field, and keeps every field except the events for the next row', async () => {
    const events = [
      { type: 'lmStudioDown' },
      { type: 'lmStudioUp' },
      { type: 'gpuLost', gpu: 1 },
      { type: 'gpuBack' },
      {
        type: 'foreignLoad',
        instanceIdentifier: 'by-hand',
        modelKey: 'x/y',
        ramBytes: 1,
        vramBytes: 2,
        gpu: 1,
      },
      { type: 'foreignUnload', instanceIdentifier: 'by-hand' },
    ];
    const full = { ...first, onBattery: true, swapInPerSecond: 4096, pressure: 'warning', events };
    const { rows } = await parseTrace([JSON.stringify(full), '{"tMs": 5}'].join('\n'));
    expect(rows?.[0]).toEqual(full);
    expect(rows?.[1]).toEqual({ ...full, tMs: 5, events: [] });
  });

  it.each([
    ['swapInPerSecond', -1],
    ['pressure', 'high'],
    ['pressure', 2],
    ['events', [{ type: 'gpuLost', gpu: 0.5 }]],
    ['events', [{ type: 'foreignUnload', instanceIdentifier: 5 }]],
    ['ram', { totalBytes: 0, othersBytes: 0 }],
    ['gpus', [{ totalBytes: 1, othersBytes: 0, unified: 'yes' }]],
    ['requests', { ratePerMinute: 60_001, meanSeconds: 1 }],
  ])('refuses %s %j', async (field, value) => {
    const text = `${JSON.stringify({ ...first, [field]: value })}\n{"tMs": 5}`;
    expect((await parseTrace(text)).issues?.filter(({ line }) => line === 1)).toHaveLength(1);
  });

  it.each([
    [{ ram: { othersByts: 1 } }, "unknown field 'othersByts' of 'ram'"],
    [{ requests: { rate: 1 } }, "unknown field 'rate' of 'requests'"],
    [{ gpus: [{ totalBytes: 1, othersBytes: 0, name: 'x' }] }, "unknown field 'name' of 'gpus'"],
    [{ events: [{ type: 'failNextLoads', times: 3 }] }, "of event 'failNextLoads'"],
    [{ cpuOthersRatio: 7 }, "'cpuOthersRatio' is a share from 0 to 1, not 7"],
  ])('warns of %j', async (fields, message) => {
    const { rows, warnings } = await parseTrace(
      `${JSON.stringify(first)}\n${JSON.stringify({ tMs: 5, ...fields })}`,
    );
    expect(rows).toHaveLength(2);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.line).toBe(2);
    expect(warnings[0]?.message).toContain(message);
  });

  it('reports every mistake with its line', async () => {
    const { issues } = await parseTrace(
      [
        JSON.stringify(first),
        '{"tMs": "1", "speed": 1}',
        '{',
        '{"tMs": 2, "events": [{"type": "explode"}, {"type": "foreignLoad", "ramBytes": -1}]}',
        '{"tMs": 3, "onBattery": 1, "pressure": "high", "events": [{"type": "failNextLoads", "count": 1.5}]}',
        '[]',
        '{"gpus": [{"totalBytes": 1}]}',
      ].join('\n'),
    );
    expect(issues?.map(({ line, message }) => `${line}: ${message.split(' in JSON')[0]}`)).toEqual([
      expect.stringContaining("2: unknown field 'speed'; the known fields are tMs, ram, gpus"),
      `2: 'tMs' must be a number of at least 0, not "1"`,
      expect.stringContaining('3: not JSON'),
      expect.stringMatching(/^4: 'type' must be one of lmStudioDown, .*, not "explode"$/),
      "4: 'ramBytes' must be a number of at least 0, not -1",
      "5: 'onBattery' must be true or false, not 1",
      `5: 'pressure' must be 0 to 1, or normal, warning or critical, not "high"`,
      "5: 'count' must be a whole number of at least 0, not 1.5",
      '6: a row must be an object',
      "7: 'tMs' is missing: give a number of at least 0",
      "7: 'gpus.othersBytes' is missing: give a number of at least 0",
    ]);
  });

  it.each([
    ['nothing', '', 'a trace needs at least a first and a last row'],
    ['one row', JSON.stringify(first), 'a trace needs at least a first and a last row'],
    [
      'a first row after 0',
      '{"tMs": 5, "ram": {"totalBytes": 1, "othersBytes": 0}}',
      "the first row's 'tMs' must be 0",
    ],
    [
      'a time beyond a century',
      `${JSON.stringify(first)}\n{"tMs": 1e300}`,
      "'tMs' must be at most 3162240000000, a century",
    ],
    [
      'a time before that of the row before',
      `${JSON.stringify(first)}\n{"tMs": 9}\n{"tMs": 8}`,
      "'tMs' goes back from 9",
    ],
  ])('refuses %s', async (_, text, message) => {
    expect((await parseTrace(text)).issues?.map((issue) => issue.message)).toContain(message);
  });

  it('reports only the first row where the first row cannot be read', async () => {
    const { issues } = await parseTrace(`{\n{"tMs": 1}\n{"tMs": 2, "speed": 1}`);
    expect(issues?.map(({ line }) => line)).toEqual([1]);
  });

  it('reads text with a byte order mark and Windows line ends', async () => {
    const { rows } = await parseTrace(`\uFEFF${JSON.stringify(first)}\r\n{"tMs": 5}\r\n`);
    expect(rows?.map(({ tMs }) => tMs)).toEqual([0, 5]);
  });

  it('reads rows that were written with JSON.stringify', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ others: fc.nat(30), seconds: fc.nat(100) }), { minLength: 1 }),
        async (parts) => {
          let seconds = 0;
          const rows = [
            row(0, 6),
            ...parts.map((part) => row((seconds += part.seconds), part.others)),
          ];
          const text = rows.map((one) => JSON.stringify(one)).join('\n');
          expect(await parseTrace(text)).toEqual({ rows, issues: null, warnings: [] });
        },
      ),
    );
  });

  it('ends with the reason of its signal, before it has read all lines', async () => {
    const controller = new AbortController();
    const read = parseTrace('\n'.repeat(1_000_000), { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(read).rejects.toThrow('enough');
  });

  it('never throws, for any lines of JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), async (values) => {
        await parseTrace(values.map((value) => JSON.stringify(value)).join('\n'));
      }),
    );
  });
});
