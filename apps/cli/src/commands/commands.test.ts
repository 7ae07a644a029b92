import { textWidth } from '@mai/host';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import type { Simulator, WorldInput } from '@mai/lmstudio-simulator';
import { exampleWorld, startSimulator } from '@mai/lmstudio-simulator';
import { openRecording } from '@mai/resource-monitor';
import type { FakeIoOptions } from '../../test/fake-io.js';
import { runMai } from '../../test/run-mai.js';
import { Interrupted } from '../io.js';

let simulator: Simulator;
let folder: string;

beforeEach(async () => {
  simulator = await startSimulator({ speed: 50, world: { machine: { gpus: [] } } });
  folder = await mkdtemp(path.join(tmpdir(), 'mai cli '));
});
afterEach(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const mai = (line: string, options: FakeIoOptions = {}) =>
  runMai([...line.split(' '), '--url', simulator.httpUrl], {
    cwd: folder,
    env: { NO_COLOR: '1' },
    homeFolder: folder,
    ...options,
  });
const loaded = () => simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier);

describe('mai status', () => {
  test('shows machine, LM Studio and residents', async () => {
    await mai('load qwen/qwen3-1.7b --context 8192');
    const { exitCode, out } = await mai('status', { columns: 80 });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/This machine/);
    expect(out).toMatch(/RAM .* of .* GiB +\d+ %/);
    expect(out).toMatch(/LM Studio .*running.*127\.0\.0\.1:\d+/);
    expect(out).toMatch(/qwen\/qwen3-1\.7b +8,192 +\d\.\d GiB +idle/);
    for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  });

  test('answers in JSON', async () => {
    await mai('load qwen/qwen3-1.7b');
    expect((await mai('status --json')).json()).toMatchObject({
      schemaVersion: 1,
      runtime: { name: 'lmstudio', state: 'running', isLocal: true },
      resources: { observable: true, ram: { totalBytes: expect.any(Number) } },
      pools: [{ pool: 'ram', limitRatio: 0.8 }],
      residents: [
        {
          instanceIdentifier: 'mai/qwen/qwen3-1.7b',
          foreign: false,
          busy: false,
          footprint: { source: expect.any(String) },
        },
      ],
      config: { source: 'built-in', file: null },
    });
  });

  test('--watch refreshes until Ctrl-C and then ends with 0', async () => {
    const controller = new AbortController();
    const run = mai('status --watch --interval 20ms --json', { signal: controller.signal });
    await simulator.seen('listLoaded', 6);
    controller.abort(new Error('Ctrl-C'));
    const { exitCode, out } = await run;
    expect(exitCode).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ schemaVersion: 1 });
  });

  test('a busy model is shown as busy', async () => {
    await mai('load qwen/qwen3-1.7b');
    simulator.setBusy('mai/qwen/qwen3-1.7b', { status: 'generating', queued: 2 });
    expect((await mai('status')).out).toMatch(/generating, 2 queued/);
  });

  test('--record writes every reading to a file that the monitor can replay', async () => {
    const file = path.join(folder, 'a recording.jsonl');
    const controller = new AbortController();
    const run = runMai(
      ['status', '--record', file, '--interval', '20ms', '--json', '--url', simulator.httpUrl],
      { cwd: folder, homeFolder: folder, signal: controller.signal },
    );
    const readings = () =>
      existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').length - 1 : 0;
    while (readings() < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    expect((await run).exitCode).toBe(0);
    await using recording = await openRecording(file);
    expect((await recording.snapshot()).ram.machineTotalBytes).toBe(totalmem());
  });

  test('--record to a file that cannot be written is a usage error', async () => {
    const { exitCode, err } = await mai('status --record nowhere/x.jsonl');
    expect(exitCode).toBe(2);
    expect(err).toMatch(/cannot be written/);
  });

  test('shows a GPU that only LM Studio sees', async () => {
    await using other = await startSimulator({ speed: 50 });
    const { out } = await runMai(['status', '--json', '--url', other.httpUrl], {
      homeFolder: folder,
    });
    const { resources } = JSON.parse(out) as { resources: { gpus: { name: string }[] } };
    expect(resources.gpus.map(({ name }) => name)).toContain('NVIDIA GeForce RTX 3060');
  });
});

describe('mai models', () => {
  test('lists the downloaded models, their memory and whether they fit, within 80 columns', async () => {
    const { exitCode, out, err } = await mai('models', { columns: 80 });
    expect(exitCode).toBe(0);
    // Size and context are left out where a model does not fit now, because its reason takes the place.
    expect(out).toMatch(/qwen\/qwen3-4b +medium .*3\.9 GiB/);
    expect(err).toMatch(/Listed by LM Studio at 127\.0\.0\.1:\d+\./);
    for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  });

  test('filters by tier and capability, and answers in JSON', async () => {
    const listed = (await mai('models --tier medium --require vision --json')).json() as {
      models: { modelKey: string; tier: string }[];
    };
    expect(listed.models.map(({ modelKey }) => modelKey).sort()).toEqual([
      'google/gemma-3-4b',
      'qwen/qwen2.5-vl-7b',
    ]);
    const several = (await mai('models --tier small,medium --json')).json() as typeof listed;
    expect(new Set(several.models.map(({ tier }) => tier))).toEqual(new Set(['small', 'medium']));
  });

  test('a longer context takes more memory', async () => {
    const bytesAt = async (context: number) => {
      const { models } = (await mai(`models --json --context ${context}`)).json() as {
        models: { modelKey: string; footprint: { ram: { anonymousBytes: number } } }[];
      };
      return models.find(({ modelKey }) => modelKey === 'qwen/qwen3-4b')?.footprint.ram
        .anonymousBytes;
    };
    expect(await bytesAt(32_768)).toBeGreaterThan((await bytesAt(4096)) ?? Infinity);
  });

  test('--all shows configured models that are not downloaded', async () => {
    const { out } = await mai('models --all');
    expect(out).toMatch(/openai\/gpt-oss-120b .*not downloaded/);
  });
});

describe('mai select', () => {
  test('decides, explains, and changes nothing', async () => {
    const { exitCode, out, err } = await mai('select --require vision', { columns: 80 });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^Choice +qwen\/qwen2\.5-vl-7b/);
    expect(out).toMatch(/qwen\/qwen3-8b +cannot do vision/);
    expect(err).toContain('`mai select --load` carries out this plan.');
    expect(loaded()).toEqual([]);
  });

  test("--load loads the chosen model under Mai's own identifier", async () => {
    const { exitCode, out, err } = await mai('select --tier small --load');
    expect(exitCode).toBe(0);
    expect(err).toMatch(/Loading qwen\/qwen3-1\.7b/);
    expect(out).toMatch(/Ready: qwen\/qwen3-1\.7b answers as mai\/qwen\/qwen3-1\.7b/);
    expect(loaded()).toEqual(['mai/qwen/qwen3-1.7b']);
    // The second time the model is already loaded.
    const again = await mai('select --tier small --load');
    expect(again.out).toMatch(/Kept mai\/qwen\/qwen3-1\.7b/);
    expect(loaded()).toEqual(['mai/qwen/qwen3-1.7b']);
  });

  test('shows the context of the chosen resident where it is longer than the load option', async () => {
    await mai('load qwen/qwen3-1.7b --context 16384');
    const { out } = await mai('select --tier small');
    expect(out).toMatch(/^Choice +qwen\/qwen3-1\.7b +small, 16,384 tokens of context/);
    const served = {
      chosen: {
        instanceIdentifier: 'mai/qwen/qwen3-1.7b',
        loadOption: { loadConfig: { contextLengthTokens: 16_384 } },
      },
    };
    expect((await mai('select --tier small --json')).json()).toMatchObject({ selection: served });
    expect((await mai('select --tier small --load --json')).json()).toMatchObject({
      selection: served,
      firstSelection: served,
    });
  });

  test('the plan that keeps a resident names the residents to unload', async () => {
    // The largest model takes nearly all memory of a small machine, so its context would depend on what else runs there.
    await mai('select --tier medium --load');
    await mai('load qwen/qwen3-1.7b');
    await mai('unpin --all');
    const { out } = await mai('select --tier medium');
    expect(out).toMatch(/Plan +keep it: .*\n +unload mai\/qwen\/qwen3-1\.7b \(replaced\)\n/);
  });

  test('--load --dry-run changes nothing', async () => {
    const { exitCode, out } = await mai('select --load --dry-run');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/Nothing was changed/);
    expect(loaded()).toEqual([]);
  });

  test('tries the next model of the chain after a failed load, and says so', async () => {
    simulator.fault.crashLoad({ modelKey: 'qwen/qwen2.5-vl-7b' });
    const { exitCode, out, err } = await mai('select --require vision --load');
    expect(exitCode).toBe(0);
    expect(err).toMatch(/warning: .*qwen2\.5-vl-7b/);
    expect(out).toMatch(/Ready: google\/gemma-3-4b/);
  });

  test('Ctrl-C during --load ends with 130 and leaves nothing loaded', async () => {
    simulator.fault.stallLoad({ atProgress: 0.5 });
    const controller = new AbortController();
    const run = mai('select --tier small --load', { signal: controller.signal });
    await simulator.seen('loadModel');
    controller.abort(new Interrupted(130));
    const { exitCode, err } = await run;
    expect(exitCode).toBe(130);
    expect(err).toMatch(/Cancelled\.\n$/);
    expect(loaded()).toEqual([]);
  });

  test('after a failed load, shows no time for the next try', async () => {
    simulator.fault.crashLoad();
    const { exitCode, out } = await mai('select --tier small --load');
    expect(exitCode).toBe(5);
    expect(out).toMatch(/qwen\/qwen3-1\.7b +failed to load\n/);
  });

  test('nothing fits: exit 3, with the reasons', async () => {
    const { exitCode, out } = await mai('select --require vision --tier small');
    expect(exitCode).toBe(3);
    expect(out).toMatch(/^Choice +nothing fits/);
    expect(out).toMatch(/is medium, not small/);
  });

  test.each(['', ' --load', ' --load --dry-run'])(
    'a resident that does not meet the requirement is not the choice of select%s, and stays loaded',
    async (options) => {
      await mai('select --tier small --load');
      const before = loaded();
      const { exitCode, out, err } = await mai(`select --require vision,embedding${options}`);
      expect(exitCode).toBe(3);
      expect(out).toMatch(/^Choice +nothing fits/);
      expect(out).not.toMatch(/best model that fits|keep it|Kept/);
      expect(out).toMatch(/qwen\/qwen3-1\.7b +cannot do vision, embedding/);
      expect(out + err).toMatch(
        /No downloaded model of this chain can do vision and\s+embedding|Nothing was changed/,
      );
      expect(before).toHaveLength(1);
      expect(loaded()).toEqual(before);
    },
  );

  test('answers in JSON', async () => {
    expect((await mai('select --tier small --json')).json()).toMatchObject({
      schemaVersion: 1,
      origin: { kind: 'lmstudio' },
      selection: { decision: 'load', chosen: { modelKey: 'qwen/qwen3-1.7b' } },
    });
  });

  test.each([
    ['select --chain cdoing', /no fallback chain "cdoing"\. Did you mean coding\?/],
    ['select --tier tiny', /--tier takes one or more of small, medium, large, not "tiny"/],
    ['select --min-context 8k', /--min-context takes a whole number/],
    ['select --require ,', /--require needs at least one value/],
  ])('%s: exit 2', async (line, message) => {
    const { exitCode, err } = await mai(line);
    expect(exitCode).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('mai start with LM Studio running', () => {
  test('shows machine, models and the choice, and changes nothing', async () => {
    const { exitCode, out } = await mai('start', { columns: 80 });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/This machine[\s\S]*Downloaded models[\s\S]*Choice[\s\S]*Next steps/);
    expect(loaded()).toEqual([]);
  });
});

describe('mai config', () => {
  test('init writes a file that check accepts and that names the downloaded models', async () => {
    const init = await mai('config init');
    expect(init.exitCode).toBe(0);
    expect(init.out).toMatch(/^Wrote .*models\.yaml with 8 models\.\n$/);
    const check = await mai('config check');
    expect(check.out).toMatch(
      /models\.yaml is valid: 8 models, \d fallback chains \(for this folder\)/,
    );
    const { models } = (await mai('models --json')).json() as { models: { configured: boolean }[] };
    expect(models.every(({ configured }) => configured)).toBe(true);
  });

  test('init replaces a file only with --force', async () => {
    await mai('config init');
    const again = await mai('config init');
    expect(again.exitCode).toBe(2);
    expect(again.err).toMatch(/exists already\. Add --force/);
    expect((await mai('config init --force')).exitCode).toBe(0);
  });

  test('init --dry-run prints the file and writes nothing', async () => {
    const { out } = await mai('config init --dry-run');
    expect(out).toMatch(/^# Mai's configuration[\s\S]*key: qwen\/qwen3-4b/);
    expect((await mai('config path')).out).toBe('built-in\n');
  });

  test('a file without models chooses like no file does', async () => {
    // Times and free memory differ from one decision to the next.
    const chain = async () =>
      ((await mai('models --json')).json() as { models: Record<string, unknown>[] }).models.map(
        ({ modelKey, chains, loadConfig }) => ({ modelKey, chains, loadConfig }),
      );
    const before = await chain();
    await writeFile(path.join(folder, 'models.yaml'), 'version: 1\nswitching: { dwell: 5s }\n');
    const check = await mai('config check');
    expect(check.out).toMatch(/models\.yaml is valid: 37 models, 5 fallback chains/);
    expect(await chain()).toEqual(before);
  });

  test('schema prints a JSON Schema', async () => {
    const { out } = await mai('config schema');
    expect(JSON.parse(out)).toMatchObject({ type: 'object' });
  });
});

describe('unusual models', () => {
  const GIB = 2 ** 30;
  const withWorld = async (world: WorldInput, use: (run: typeof mai) => Promise<void>) => {
    await using other = await startSimulator({ speed: 50, world });
    await use((line, options = {}) =>
      runMai([...line.split(' '), '--url', other.httpUrl], {
        cwd: folder,
        env: { NO_COLOR: '1' },
        homeFolder: folder,
        ...options,
      }),
    );
  };

  test('a model that LM Studio cannot estimate does not hide the others', () =>
    withWorld(
      {
        models: [
          { modelKey: 'family/\u{1f469}\u200d\u{1f467}', sizeBytes: GIB },
          { modelKey: 'a/\u001b[31mred', sizeBytes: GIB },
          { modelKey: 'plain/model', sizeBytes: GIB },
        ],
      },
      async (run) => {
        const { exitCode, out } = await run('models');
        expect(exitCode).toBe(0);
        expect(out).toMatch(/plain\/model .* fits/);
        expect(out).not.toContain('\u001b');
        expect((await run('select')).exitCode).toBe(0);
      },
    ));

  test('config init leaves out keys that a configuration cannot contain, and says so', () =>
    withWorld(
      {
        models: [
          { modelKey: 'chain:x', sizeBytes: GIB },
          { modelKey: 'plain/model', sizeBytes: GIB },
        ],
      },
      async (run) => {
        const { exitCode, err } = await run('config init');
        expect(exitCode).toBe(0);
        expect(err).toContain('warning: chain:x is left out');
        expect((await run('config check')).exitCode).toBe(0);
      },
    ));

  test('the decision leaves out models on other machines of LM Link', () =>
    withWorld(exampleWorld('link'), async (run) => {
      const { exitCode, out, err } = await run('models');
      expect(exitCode).toBe(0);
      expect(out).toContain('qwen/qwen3-8b');
      expect(out).not.toContain('gpt-oss');
      expect(err).toContain('1 model on other machines of LM Link');
      expect((await run('select')).exitCode).toBe(0);
    }));

  test('residents on another machine of LM Link are listed separately', () =>
    withWorld(exampleWorld('link'), async (run) => {
      await run('load openai/gpt-oss-20b');
      const { out } = await run('status');
      expect(out).toMatch(
        /nothing is loaded\n {2}on other machines of LM Link: mai\/openai\/gpt-oss-20b/,
      );
      expect((await run('status --json')).json()).toMatchObject({
        residents: [],
        elsewhere: [{ instanceIdentifier: 'mai/openai/gpt-oss-20b' }],
      });
    }));

  test("estimates a model without a local file by its size, next to LM Studio's figure", async () => {
    const { exitCode, out, err } = await mai('estimate qwen/qwen3-4b');
    expect(exitCode).toBe(0);
    expect(err).toContain("its file is not in LM Studio's models folder on this machine");
    expect(out).toMatch(/LM Studio's own\s+estimate, low confidence/);
    expect(out).toMatch(/Only its\s+size\s+is\s+known,\s+so\s+its\s+parts\s+are\s+not\s+shown\./);
    expect(out).not.toMatch(/no GPU|weights|KV cache|By context length/);
    expect((await mai('estimate qwen/qwen3-4b --json')).json()).toMatchObject({
      source: 'file-size',
      confidence: 'low',
      footprint: { source: 'lmstudio', confidence: 'low' },
    });
  });

  test('says that nothing is downloaded, and gives the next step', () =>
    withWorld({ models: [] }, async (run) => {
      const { exitCode, out, err } = await run('models');
      expect(exitCode).toBe(0);
      expect(out).toBe('No model is downloaded.\n');
      expect(err).toContain('lms get');
    }));

  test('mai compare says that nothing is downloaded, too', () =>
    withWorld({ models: [] }, async (run) => {
      const { exitCode, out } = await run('compare');
      expect(exitCode).toBe(3);
      expect(out).toMatch(/^No model is downloaded\. Get a model in LM Studio/);
    }));

  test('says how to name another chain where the chain lacks the capability', () =>
    withWorld({ models: [{ modelKey: 'plain/model', sizeBytes: GIB }] }, async (run) => {
      const { exitCode, err } = await run('select --require embedding');
      expect(exitCode).toBe(3);
      expect(err).toContain('No downloaded model of this chain can do embedding.');
      expect(err).toContain('--chain');
    }));

  test.each([null, 'version: 1\nswitching: { dwell: 5s }\n'])(
    'doctor does not ask for a model in each built-in chain: %j',
    (file) =>
      withWorld({ models: [{ modelKey: 'plain/model', sizeBytes: GIB }] }, async (run) => {
        if (file !== null) await writeFile(path.join(folder, 'models.yaml'), file);
        const { out } = await run('doctor');
        expect(out.replaceAll(/\s+/g, ' ')).toMatch(
          /✓ Models 1 model downloaded; the built-in chains .*vision.* have no downloaded model/,
        );
      }),
  );

  test('shows no sizes for an old LM Studio that reports none', async () => {
    await using old = await startSimulator({ profile: 'old' });
    const { out } = await runMai(['models', '--url', old.httpUrl], { homeFolder: folder });
    expect(out).not.toContain('0 B');
  });

  test('refuses an unknown capability', async () => {
    const { exitCode, err } = await mai('models --require vison');
    expect(exitCode).toBe(2);
    expect(err).toContain('Did you mean vision?');
  });
});

test.each(['compare', 'estimate', 'load', 'bench'])(
  'mai %s of a model that is not there ends with 5',
  async (command) => {
    expect((await mai(`${command} no/such-model`)).exitCode).toBe(5);
  },
);

describe('mai bench', () => {
  test('ends with the exit code of the failure where nothing was measured', async () => {
    const { exitCode, err } = await mai('bench no/such-model');
    expect(err).toContain('no/such-model was not measured: There is no model "no/such-model"');
    expect(exitCode).toBe(5);
  });
});
