import { textWidth } from '@mai/host';
import path from 'node:path';
import { runMai } from '../../../test/run-mai.js';
import type { SimulateWorld } from '../../../test/simulate-world.js';
import {
  configText,
  GIB,
  LARGE,
  openSimulateWorld,
  SMALL,
  traceText,
} from '../../../test/simulate-world.js';
import { writeTinyModel } from '../../../test/tiny-gguf.js';
import { Interrupted } from '../../io.js';

// The expected figures are calculated by hand. The machine has 32 GiB, a limit of 25.6 GiB and a hard
// limit of 29.44 GiB. The large model takes 16 GiB, loads in 10 s and has quality 0.9. The small
// model takes 4 GiB, loads in 2 s and has quality 0.4.

let world: SimulateWorld;
beforeEach(async () => {
  world = await openSimulateWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const BOTH = configText(LARGE, SMALL);

describe('the answer of --json', () => {
  test('has these fields and no others', async () => {
    const report = await world.report(
      [
        [0, 4],
        [60, 4],
      ],
      BOTH,
    );
    expect(Object.keys(report).sort()).toEqual(
      [
        'schemaVersion',
        'durationMs',
        'switches',
        'emergencySwitches',
        'selfCausedSwitches',
        'switchesPerHour',
        'flaps',
        'overloadedMs',
        'avoidableOverloadedMs',
        'outOfMemoryEvents',
        'avoidableOutOfMemoryEvents',
        'longestAvoidableOutOfMemoryMs',
        'busyEvictions',
        'busyEvictionsWithMemoryLeft',
        'runtimeQueries',
        'droppedRequests',
        'noModelMs',
        'qualityMs',
        'referenceQualityMs',
        'qualityRatio',
        'timeByModelMs',
        'decisions',
      ].sort(),
    );
  });

  test('on a quiet machine, the large model answers except during its load', async () => {
    expect(
      await world.report(
        [
          [0, 4],
          [600, 4],
        ],
        BOTH,
      ),
    ).toMatchObject({
      durationMs: 600_000,
      switches: 0,
      switchesPerHour: 0,
      emergencySwitches: 0,
      flaps: 0,
      overloadedMs: 0,
      outOfMemoryEvents: 0,
      busyEvictions: 0,
      droppedRequests: 0,
      noModelMs: 10_000,
      qualityMs: 531_000,
      timeByModelMs: { 'acme/large': 590_000 },
      decisions: [{ outcome: 'switched', modelKey: 'acme/large', reason: 'NOTHING_RESIDENT' }],
    });
  });
});

describe('quality', () => {
  test('the quality of a model over the limit counts for the dwell time, and the reference steps down', async () => {
    // 12 + 16 = 28 GiB is over the limit for 100 s. Quality counts for the first 20 s.
    const report = await world.report(
      [
        [0, 4],
        [100, 12],
        [200, 4],
        [300, 4],
      ],
      BOTH,
      '--policy static',
    );
    expect(report.overloadedMs).toBe(0);
    expect(report.qualityMs).toBeCloseTo(900 * (90 + 20 + 100), 3);
    // The small model answers from 2 to 12 s, the large model to 100 s, the small model to 210 s, and
    // the large model to 300 s: 10 x 0.4 + 88 x 0.9 + 110 x 0.4 + 90 x 0.9.
    expect(report.referenceQualityMs).toBeCloseTo(1000 * (4 + 79.2 + 44 + 81), 3);
    expect(report.qualityRatio).toBeCloseTo(189 / 208.2, 9);
  });

  test('the quality of the last candidate counts up to the hard limit', async () => {
    // 23 + 4 = 27 GiB exceeds only the limit. 26 + 4 = 30 GiB also exceeds the hard limit.
    const rows = (gib: number) =>
      [
        [0, 4],
        [100, gib],
        [200, 4],
        [300, 4],
      ] as const;
    const within = await world.report(rows(23), configText(SMALL), '--policy static');
    expect(within.qualityMs).toBeCloseTo(400 * 298, 3);
    expect(within.qualityRatio).toBeCloseTo(1, 9);
    const over = await world.report(rows(26), configText(SMALL), '--policy static');
    expect(over.qualityMs).toBeCloseTo(400 * (98 + 20 + 100), 3);
    // The reference has to unload the model for 100 s and to load it for 2 s.
    expect(over.referenceQualityMs).toBeCloseTo(400 * (98 + 98), 3);
  });

  test('a cheaper load option has its own quality, and is used where the full model does not fit', async () => {
    const cheaper = LARGE.replace(' }', ', rungs: [{ footprint: 14GiB, quality: 0.88 }] }');
    // 10.5 + 16 = 26.5 GiB does not fit, but 10.5 + 14 = 24.5 GiB fits.
    const report = await world.report(
      [
        [0, 10.5],
        [300, 10.5],
      ],
      configText(cheaper, SMALL),
    );
    expect(report.qualityMs).toBeCloseTo(880 * 290, 3);
    expect(report.timeByModelMs).toEqual({ 'acme/large': 290_000 });
    const without = await world.report(
      [
        [0, 10.5],
        [300, 10.5],
      ],
      BOTH,
    );
    expect(without.timeByModelMs).toEqual({ 'acme/small': 298_000 });
  });

  test('five cheaper load options are distinguished without a GPU', async () => {
    const option = (gib: number, quality: number) =>
      `{ footprint: ${gib}GiB, quality: ${quality} }`;
    const options = [
      option(15, 0.8),
      option(14, 0.7),
      option(13, 0.6),
      option(12, 0.5),
      option(11, 0.45),
    ];
    const model = LARGE.replace(' }', `, rungs: [${options.join(', ')}] }`);
    // 13 + 12 = 25 GiB fits. 14 + 12 = 26 GiB does not fit, but the last option does: 14 + 11.
    const fourth = await world.report(
      [
        [0, 13],
        [100, 13],
      ],
      configText(model),
    );
    expect(fourth.qualityMs).toBeCloseTo(500 * 90, 3);
    const fifth = await world.report(
      [
        [0, 14],
        [100, 14],
      ],
      configText(model),
    );
    expect(fifth.qualityMs).toBeCloseTo(450 * 90, 3);
  });
});

describe('overload', () => {
  test('time over the hard limit is overload, and all but its first second is avoidable', async () => {
    // 15 + 16 = 31 GiB is over the hard limit.
    const report = await world.report(
      [
        [0, 4],
        [100, 15],
        [200, 4],
        [300, 4],
      ],
      BOTH,
      '--policy static',
    );
    expect(report).toMatchObject({
      overloadedMs: 100_000,
      avoidableOverloadedMs: 99_000,
      outOfMemoryEvents: 0,
    });
  });

  test('overload is not avoidable where other programs alone cause it', async () => {
    const report = await world.report(
      [
        [0, 4],
        [100, 30],
        [150, 4],
        [300, 4],
      ],
      BOTH,
      '--policy static',
    );
    expect(report).toMatchObject({
      overloadedMs: 50_000,
      avoidableOverloadedMs: 0,
      outOfMemoryEvents: 1,
      avoidableOutOfMemoryEvents: 0,
    });
  });

  test('running out of memory is avoidable after ten seconds over the hard limit', async () => {
    // Twice, 31 GiB is over the hard limit for 10 s before 33 of 32 GiB. The third time, 36 GiB comes
    // at once.
    const report = await world.report(
      [
        [0, 4],
        [100, 15],
        [110, 17],
        [150, 4],
        [200, 15],
        [210, 17],
        [250, 4],
        [260, 20],
        [270, 4],
        [300, 4],
      ],
      BOTH,
      '--policy static',
    );
    expect(report).toMatchObject({
      overloadedMs: 110_000,
      avoidableOverloadedMs: 107_000,
      outOfMemoryEvents: 3,
      avoidableOutOfMemoryEvents: 2,
    });
  });

  test('a use equal to the limit does not exceed it', async () => {
    const at = (bytes: number) =>
      traceText([
        [0, 4],
        [100, 4 + bytes / GIB],
        [200, 4],
      ]);
    // 16 GiB of 32 with a limit of 75 %: the hard limit of 93.75 % is at 30 GiB exactly.
    const config = `${BOTH}switching: { memory_percent: 75, vram_percent: 75, hard_limit_percent: 93.75 }\n`;
    const overload = async (bytes: number) =>
      (await world.simulate(at(bytes), config, '--policy static --json')).json()['overloadedMs'];
    expect(await overload(10 * GIB)).toBe(0);
    expect(await overload(10 * GIB + 1)).toBe(100_000);
  });
});

describe('switches', () => {
  test('a switch down and a switch up within the cool-down are a flap', async () => {
    // The naive policy switches at once. At 100 s, 12 + 16 > 25.6 GiB, so it loads the small model in
    // 2 s. At 130 s it loads the large model again in 10 s.
    const rows = [
      [0, 4],
      [100, 12],
      [130, 4],
      [300, 4],
    ] as const;
    const report = await world.report(rows, BOTH, '--policy naive');
    expect(report).toMatchObject({
      switches: 2,
      switchesPerHour: 24,
      flaps: 1,
      emergencySwitches: 0,
      noModelMs: 22_000,
      timeByModelMs: { 'acme/large': 250_000, 'acme/small': 28_000 },
      decisions: [],
    });
    expect(report.qualityMs).toBeCloseTo(900 * 250 + 400 * 28, 3);
    const mai = await world.report(rows, BOTH);
    expect(mai.flaps).toBe(0);
  });

  test('a switch that the hard limit forces is counted, but not as a flap', async () => {
    const rows = [
      [0, 4],
      [100, 15],
      [130, 4],
      [300, 4],
    ] as const;
    expect(await world.report(rows, BOTH, '--policy naive')).toMatchObject({
      switches: 2,
      emergencySwitches: 1,
      flaps: 0,
    });
    const mai = await world.report(rows, BOTH);
    expect(mai).toMatchObject({ emergencySwitches: 1, flaps: 0, busyEvictions: 0 });
    expect(mai.overloadedMs).toBeLessThanOrEqual(2000);
    expect(mai.decisions).toContainEqual(
      expect.objectContaining({ reason: 'EMERGENCY', modelKey: 'acme/small' }),
    );
  });
});

describe('requests', () => {
  const busy = { requests: { ratePerMinute: 30, meanSeconds: 5 } };

  test('requests are dropped while no model is ready', async () => {
    // Other programs use 30 GiB, so no model fits, and all of about 300 requests are dropped.
    const rows = [
      [0, 30, busy],
      [600, 30, busy],
    ] as const;
    const report = await world.report(rows, BOTH);
    expect(report).toMatchObject({ noModelMs: 600_000, timeByModelMs: {}, qualityMs: 0 });
    expect(report.droppedRequests).toBeGreaterThan(240);
    expect(report.droppedRequests).toBeLessThan(360);
    // No request is dropped here: the requests begin after the load.
    const served = await world.report(
      [
        [0, 4],
        [11, 4, busy],
        [600, 4, busy],
      ],
      BOTH,
    );
    expect(served.droppedRequests).toBe(0);
  });

  test('the requests depend only on the seed', async () => {
    const rows = [
      [0, 30, busy],
      [600, 30, busy],
    ] as const;
    const dropped = async (line: string) => (await world.report(rows, BOTH, line)).droppedRequests;
    const one = await dropped('--seed 1');
    expect(await dropped('')).toBe(one);
    expect(new Set([one, await dropped('--seed 2'), await dropped('--seed 3')]).size).toBe(3);
  });

  test('mai delays a switch until running requests have ended', async () => {
    const rows = [
      [0, 4, busy],
      [100, 12, busy],
      [400, 4, busy],
      [900, 4, busy],
    ] as const;
    const report = await world.report(rows, BOTH);
    expect(report).toMatchObject({ busyEvictions: 0, flaps: 0 });
    expect(report.timeByModelMs['acme/small']).toBeGreaterThan(0);
  });
});

describe('pools', () => {
  const gpus = (othersGib: number, unified = false) => ({
    gpus: [{ totalBytes: 24 * GIB, othersBytes: othersGib * GIB, unified }],
  });

  test("a discrete GPU takes the model's vram, and RAM the rest", async () => {
    // With 4 + 1 of 8 GiB of RAM and 1 + 15 of 24 GiB of VRAM (limit 21.6) the large model fits. With
    // 7 + 15 = 22 GiB of VRAM it does not fit.
    const run = async (vramGib: number) =>
      (
        await world.simulate(
          traceText(
            [
              [0, 4, gpus(vramGib)],
              [100, 4, gpus(vramGib)],
            ],
            8,
          ),
          BOTH,
          '--json --policy static',
        )
      ).json();
    expect((await run(1))['timeByModelMs']).toEqual({ 'acme/large': 90_000 });
    expect((await run(7))['timeByModelMs']).toEqual({ 'acme/small': 98_000 });
  });

  test('VRAM over its hard limit is overload', async () => {
    // 8 + 15 = 23 of 24 GiB is 95.8 %.
    const rows = [
      [0, 4, gpus(1)],
      [100, 4, gpus(8)],
      [150, 4, gpus(1)],
      [200, 4, gpus(1)],
    ] as const;
    expect(await world.report(rows, BOTH, '--policy static')).toMatchObject({
      overloadedMs: 50_000,
      outOfMemoryEvents: 0,
    });
  });

  test('a unified pool has a hard limit of its own, and takes the whole footprint', async () => {
    // The hard limit of a unified pool is 85 %. 11 + 16 of 32 GiB is 84.4 %, 11.5 + 16 is 85.9 %.
    const rows = (gib: number) =>
      [
        [0, 4, gpus(0, true)],
        [100, gib, gpus(0, true)],
        [200, 4, gpus(0, true)],
      ] as const;
    const overload = async (gib: number) =>
      (await world.report(rows(gib), BOTH, '--policy static')).overloadedMs;
    expect(await overload(11)).toBe(0);
    expect(await overload(11.5)).toBe(100_000);
  });
});

describe('events', () => {
  const event = (type: string, more: object = {}) => ({ events: [{ type, ...more }] });

  test('when LM Studio stops, its models are unloaded', async () => {
    // 10 s of loading, 50 s without LM Studio, and 10 s of loading again.
    const rows = [
      [0, 4],
      [100, 4, event('lmStudioDown')],
      [150, 4, event('lmStudioUp')],
      [300, 4],
    ] as const;
    const report = await world.report(rows, configText(LARGE), '--policy static');
    expect(report).toMatchObject({ noModelMs: 70_000, switches: 0, busyEvictions: 0 });
    expect(report.qualityMs).toBeCloseTo(900 * 230, 3);
    // The reference has the same gap, because it cannot load while LM Studio is off.
    expect(report.qualityRatio).toBeCloseTo(1, 9);
  });

  test('a failed load takes its load time', async () => {
    // The failed load lasts from 0 to 10 s, and the next load from 11 to 21 s.
    const rows = [
      [0, 4, event('failNextLoads', { count: 1 })],
      [100, 4],
    ] as const;
    const report = await world.report(rows, configText(LARGE), '--policy naive');
    expect(report.noModelMs).toBe(21_000);
  });

  test('a model that another client loads counts as use by others', async () => {
    // 4 + 16 + 11 = 31 GiB is over the hard limit from 100 to 160 s.
    const rows = [
      [0, 4],
      [100, 4, event('foreignLoad', { instanceIdentifier: 'theirs', ramBytes: 11 * GIB })],
      [160, 4, event('foreignUnload', { instanceIdentifier: 'theirs' })],
      [300, 4],
    ] as const;
    const report = await world.report(rows, BOTH, '--policy static');
    expect(report).toMatchObject({ overloadedMs: 60_000, avoidableOverloadedMs: 59_000 });
    expect(report.qualityMs).toBeCloseTo(900 * (90 + 20 + 140), 3);
  });

  test('mai does not unload a model of another client, and steps down instead', async () => {
    const rows = [
      [0, 4],
      [100, 4, event('foreignLoad', { instanceIdentifier: 'theirs', ramBytes: 11 * GIB })],
      [300, 4],
    ] as const;
    const report = await world.report(rows, BOTH);
    expect(report.overloadedMs).toBeLessThanOrEqual(2000);
    expect(report.timeByModelMs['acme/small']).toBeGreaterThan(190_000);
  });
});

describe('where the configuration lacks simulation properties', () => {
  const MEDIUM = `
  - key: acme/medium
    category: medium
    simulate: { footprint: 9GiB }`;

  test("uses 1 GB/s and the tier's default quality", async () => {
    // 9 GiB is 9.663676416 GB.
    const report = await world.report(
      [
        [0, 4],
        [300, 4],
      ],
      configText(MEDIUM),
    );
    expect(report.noModelMs).toBe(9664);
    expect(report.qualityMs).toBeCloseTo(0.65 * (300_000 - 9664), 3);
    expect(report.qualityRatio).toBeCloseTo(1, 9);
  });

  test('uses the configured memory of a model that is not downloaded', async () => {
    const claimed = '\n  - key: acme/claimed\n    category: small\n    min_memory_gb: 4';
    const report = await world.report(
      [
        [0, 4],
        [300, 4],
      ],
      configText(claimed),
    );
    expect(report.noModelMs).toBe(4295);
    expect(report.qualityMs).toBeCloseTo(0.4 * (300_000 - 4295), 3);
  });

  test('uses the header of a downloaded model, also for VRAM', async () => {
    const file = ['.lmstudio', 'models', 'acme', 'Real-7B-GGUF', 'Real-7B-Q4_K_M.gguf'];
    writeTinyModel(path.join(world.folder, ...file), { name: 'Real', layers: 32, width: 1024 });
    const key = '\n  - key: real-7b\n    category: large';
    const estimated = await runMai(['estimate', 'real-7b', '--context', '8192', '--json'], {
      homeFolder: world.folder,
      cwd: world.folder,
      env: { MAI_LMSTUDIO_URL: 'http://127.0.0.1:9' },
    });
    const { totalBytes } = estimated.json() as { totalBytes: number };
    expect(totalBytes).toBeGreaterThan(100e6);
    const report = await world.report(
      [
        [0, 4],
        [300, 4],
      ],
      configText(key),
    );
    const loadMs = Math.round(totalBytes / 1e6);
    expect(report.noModelMs).toBe(loadMs);
    expect(report.qualityMs).toBeCloseTo(0.9 * (300_000 - loadMs), 3);
  });

  test('simulates only downloaded models where the configuration has no simulation properties', async () => {
    const file = ['.lmstudio', 'models', 'acme', 'Real-7B-GGUF', 'Real-7B-Q4_K_M.gguf'];
    writeTinyModel(path.join(world.folder, ...file), { name: 'Real', layers: 32, width: 1024 });
    const real = '\n  - key: real-7b\n    category: small';
    const claimed = '\n  - key: acme/claimed\n    category: large\n    min_memory_gb: 16';
    const rows = [
      [0, 4],
      [300, 4],
    ] as const;
    const { err, json } = await world.simulate(rows, configText(claimed, real), '--json');
    expect(err).toBe('These models are left out, because they are not downloaded: acme/claimed.\n');
    expect(Object.keys(json()['timeByModelMs'] as object)).toEqual(['real-7b']);
    // If the configuration has properties for a model, every model counts as downloaded.
    const described = await world.report(rows, configText(claimed, SMALL), '--policy static');
    expect(Object.keys(described.timeByModelMs)).toEqual(['acme/claimed']);
  });

  test('leaves out a model of unknown memory, with a warning', async () => {
    const unknown = '\n  - key: acme/unknown\n    category: large';
    const claimed = '\n  - key: acme/claimed\n    category: small\n    min_memory_gb: 4';
    const { exitCode, err, json } = await world.simulate(
      [
        [0, 4],
        [300, 4],
      ],
      configText(unknown, claimed),
      '--json',
    );
    expect(exitCode).toBe(0);
    expect(err).toContain('their memory is not known: acme/unknown');
    expect(json()['timeByModelMs']).toEqual({ 'acme/claimed': 295_705 });
    const alone = await world.simulate(
      [
        [0, 4],
        [300, 4],
      ],
      configText(unknown),
    );
    expect([alone.exitCode, alone.out]).toEqual([2, '']);
    expect(alone.err).toContain('acme/unknown');
  });

  test('without chains, simulates every model with simulation properties', async () => {
    const config = `version: 1\nmodels:${SMALL}${LARGE}\n`;
    const report = await world.report(
      [
        [0, 4],
        [100, 4],
      ],
      config,
      '--policy static',
    );
    expect(report.timeByModelMs).toEqual({ 'acme/large': 90_000 });
  });

  test('--chain names another chain', async () => {
    const config = `${BOTH}  tiny: [acme/small]\n`;
    const report = await world.report(
      [
        [0, 4],
        [100, 4],
      ],
      config,
      '--chain tiny',
    );
    expect(report.timeByModelMs).toEqual({ 'acme/small': 98_000 });
    const wrong = await world.simulate(
      [
        [0, 4],
        [100, 4],
      ],
      config,
      '--chain tniy',
    );
    expect(wrong.exitCode).toBe(2);
    expect(wrong.err).toContain('Did you mean tiny?');
  });
});

describe('a malformed trace', () => {
  const good = traceText([[0, 4]]);

  test.each([
    ['trace.jsonl:1: a trace needs at least a first and a last row', ''],
    ['trace.jsonl:1: a trace needs at least', good],
    ['trace.jsonl:2: not JSON', `${good}\n{"tMs":`],
    ['trace.jsonl:3: a row must be an object', `${good}\n\n[]`],
    ["trace.jsonl:2: 'ram.totalBytes' must be", `${good}\n{"tMs":1,"ram":{"totalBytes":-1}}`],
    ["trace.jsonl:2: unknown field 'rma'", `${good}\n{"tMs":1,"rma":{}}`],
    ["trace.jsonl:3: 'tMs' goes back from 5", `${good}\n{"tMs":5}\n{"tMs":4}`],
    ["trace.jsonl:2: 'type' must be one of", `${good}\n{"tMs":1,"events":[{"type":"thunder"}]}`],
  ])('is refused, and the message names the line: %s', async (message, text) => {
    const { exitCode, err, out } = await world.simulate(text, BOTH);
    expect(err).toContain(message);
    expect([exitCode, out]).toEqual([2, '']);
  });

  test('warns of ignored fields', async () => {
    const { exitCode, err } = await world.simulate(
      `${good}\n{"tMs":60000,"ram":{"othersByts":1},"events":[{"type":"failNextLoads","times":3}]}`,
      BOTH,
    );
    expect(err).toContain("trace.jsonl:2: unknown field 'othersByts' of 'ram' is ignored");
    expect(err).toContain("unknown field 'times' of event 'failNextLoads'");
    expect(exitCode).toBe(0);
  });

  test('names all mistakes at once, at most ten', async () => {
    const bad = Array.from({ length: 12 }, () => '{').join('\n');
    const { err } = await world.simulate(`${good}\n${bad}`, BOTH);
    expect(err.match(/trace\.jsonl:\d+:/g)).toHaveLength(10);
    expect(err).toContain('and 2 more');
  });

  test.each([
    ['simulate', 'mai simulate needs --trace=FILE'],
    ['simulate --trace nowhere.jsonl', 'There is no file'],
    ['simulate --trace trace.jsonl --policy best', '--policy takes mai, static'],
    ['simulate --trace trace.jsonl --seed -1', '--seed'],
  ])('refuses %s with 2', async (line, message) => {
    const { exitCode, err } = await runMai(line.split(' '), { cwd: world.folder });
    expect(err).toContain(message);
    expect(exitCode).toBe(2);
  });
});

test('Ctrl-C ends the simulation without a result', async () => {
  const argv = ['simulate', '--trace', 'trace.jsonl', '--config', 'models.yaml', '--json'];
  await world.simulate(
    [
      [0, 4],
      [60, 4],
    ],
    BOTH,
  );
  const { exitCode, out } = await runMai(argv, {
    cwd: world.folder,
    homeFolder: world.folder,
    signal: AbortSignal.abort(new Interrupted(130)),
  });
  expect(exitCode).toBe(130);
  expect(JSON.parse(out)).toEqual({
    schemaVersion: 1,
    error: { code: 'CANCELLED', message: 'Cancelled.' },
  });
});

describe('the text', () => {
  const rows = [
    [0, 4],
    [100, 15],
    [400, 4],
    [900, 4],
  ] as const;

  test('shows a chart and the figures within 80 columns', async () => {
    const { exitCode, out } = await world.simulate(rows, BOTH, '--no-color', 80);
    expect(exitCode).toBe(0);
    for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
    expect(out).toMatch(/acme\/large +[░▓█]+·+[░▓█]+ /);
    expect(out).toMatch(/acme\/small +·+[░▓█]+·+ /);
    expect(out).toMatch(/nothing ready/);
    expect(out).toMatch(/Quality +\d+\.\d % of the quality that perfect foresight/);
    expect(out).toMatch(/0:01:\d\d +switched +acme\/small +EMERGENCY/);
  });

  test('shows all policies side by side', async () => {
    const { out } = await world.simulate(rows, BOTH, '--policy all --no-color', 80);
    for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
    for (const name of ['mai', 'static', 'naive', 'lru-evict', 'jit-last']) {
      expect(out).toMatch(new RegExp(`^ +${name} +\\d`, 'm'));
    }
    const json = (await world.simulate(rows, BOTH, '--policy all --json')).json();
    const policies = json['policies'] as Record<string, object>;
    expect(Object.keys(policies)).toEqual(['mai', 'static', 'naive', 'lru-evict', 'jit-last']);
    const alone = (await world.simulate(rows, BOTH, '--policy naive --json')).json();
    expect(alone).toEqual({ schemaVersion: 1, ...policies['naive'] });
  });
});
