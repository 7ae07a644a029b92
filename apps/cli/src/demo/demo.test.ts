import { textWidth } from '@mai/host';
import type { Resources } from '@mai/memory-ledger';
import { createFakeIo } from '../../test/fake-io.js';
import { runMai } from '../../test/run-mai.js';
import { createOutput } from '../terminal/output.js';
import type { DemoStep } from './run-demo.js';
import { runDemo } from './run-demo.js';

// eslint-disable-next-line no-control-regex -- a terminal is driven by control characters
const CURSOR_SEQUENCE = /\u001b\[[0-9;?]*[A-Za-ln-z]|\r/g;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const machine = (
  totalBytes: number,
  availableBytes: number,
  more: Partial<Resources> = {},
): Resources => ({
  timestampMs: Date.now(),
  observable: true,
  ram: { totalBytes, availableBytes, mappedCountsAsUsed: false },
  unified: false,
  gpus: [],
  cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  ...more,
});
const gpu = (totalBytes: number, availableBytes: number) => ({
  deviceKey: 'GPU-1',
  name: 'Test GPU',
  vendor: null,
  memory: 'dedicated' as const,
  totalBytes,
  availableBytes,
});

async function run(resources: Resources) {
  const io = createFakeIo();
  const output = createOutput(io, { json: true, quiet: true, noColour: true });
  await runDemo(
    { io, output, globals: {}, signal: io.signal },
    {
      fast: true,
      machineMonitor: { snapshot: () => Promise.resolve(resources), readRam: null, settled: null },
    },
  );
  return (JSON.parse(io.out()) as { steps: DemoStep[] }).steps;
}

test.each([
  ['a desktop', machine(32 * GIB, 24 * GIB)],
  ['a small container', machine(512 * MIB, 400 * MIB)],
  ['a server', machine(1024 * GIB, 900 * GIB)],
  ['a machine that is nearly full', machine(16 * GIB, 0.8 * GIB)],
  ['an empty machine', machine(24 * GIB, 24 * GIB)],
  ['a graphics card', machine(64 * GIB, 50 * GIB, { gpus: [gpu(24 * GIB, 23 * GIB)] })],
  [
    'a graphics card that is half full',
    machine(16 * GIB, 9 * GIB, { gpus: [gpu(8 * GIB, 3 * GIB)] }),
  ],
  ['a very large card', machine(256 * GIB, 240 * GIB, { gpus: [gpu(80 * GIB, 79 * GIB)] })],
  [
    'a graphics card that hides its memory',
    machine(32 * GIB, 20 * GIB, { gpus: [{ ...gpu(8 * GIB, 0), availableBytes: null }] }),
  ],
  [
    'unified memory',
    machine(18 * GIB, 11 * GIB, {
      unified: true,
      gpus: [{ ...gpu(12 * GIB, 11 * GIB), memory: 'shared', deviceKey: 'apple' }],
    }),
  ],
])('every chapter works on %s', async (_, resources) => {
  const steps = await run(resources);
  expect(steps.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
    'choose: switched',
    'step-down: switched',
    'step-up: switched',
  ]);
  const [first, second, third] = steps.map(({ modelKey }) => modelKey);
  expect(first).toMatch(/^demo\/sequoia-/);
  expect(second).toMatch(/^demo\/maple-/);
  expect(third).toBe(first);
});

test.each([80, 60])(
  'mai demo prints the story within %d columns, labels injected memory, and lists the next steps',
  async (columns) => {
    const { exitCode, out } = await runMai(['demo', '--fast'], {
      columns,
      env: { NO_COLOR: '1' },
    });
    expect(exitCode).toBe(0);
    expect(out).toContain('A simulated LM Studio answers at 127.0.0.1:');
    expect(out).toMatch(/Memory gets tight {2}\(injected\)/);
    expect(out).toMatch(/Step down: demo\/sequoia-\S+ needs .* more/);
    expect(out).toMatch(/limit 80 %(, 90 %)?\n/);
    expect(out).toMatch(/Step up: demo\/sequoia-\S+ fits again/);
    expect(out).toMatch(/Next steps\n/);
    const plain = out.replaceAll(CURSOR_SEQUENCE, '');
    for (const line of plain.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  },
);

test('without a terminal the output has no colours and no cursor movement', async () => {
  const { out, err } = await runMai(['demo', '--fast']);
  // eslint-disable-next-line no-control-regex -- control characters are what must not be there
  expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test('Ctrl-C ends the demo with 130', async () => {
  const controller = new AbortController();
  const { Interrupted } = await import('../io.js');
  const run = runMai(['demo'], { columns: 80, signal: controller.signal });
  controller.abort(new Interrupted(130));
  expect((await run).exitCode).toBe(130);
});
