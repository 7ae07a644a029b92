import { textWidth } from '@mai/host';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { replayDecisions } from '@mai/autopilot';
import { startProgram } from '../../../test/start-program.js';
import type { WatchWorld } from '../../../test/watch-world.js';
import { openWatchWorld } from '../../../test/watch-world.js';

// The tests wait for real processes and dwell times, which take longer on a busy machine.
jest.setTimeout(60_000);

const SOON = '--interval 20ms';
let world: WatchWorld;
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const everyFile = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) =>
    /^\.local.*\.(jsonl|lock|json)$/.test(name),
  );
const readLog = async () => {
  const name = (await everyFile(world.folder)).find((file) => file.endsWith('decisions.jsonl'));
  return (await readFile(path.join(world.folder, name ?? 'none'), 'utf8')).trim().split('\n');
};

/** Waits for some rounds of the autopilot, of which nothing is printed while nothing changes. */
const someRounds = () => new Promise((resolve) => setTimeout(resolve, 500));

describe('mai watch', () => {
  test('loads the best model that fits, and unloads it at the end', async () => {
    const mai = world.start(`watch ${SOON}`);
    await mai.line('switch-finished');
    expect(world.residents()).toEqual(['mai/test/large']);
    const { exitCode, err } = await mai.interrupt();
    expect(exitCode).toBe(0);
    expect(err).toBe('');
    expect(world.residents()).toEqual([]);
    const types = mai.lines().map(({ type }) => type);
    expect(types[0]).toBe('started');
    expect(types.at(-1)).toBe('stopped');
    for (const line of mai.lines()) {
      expect(Object.keys(line).slice(0, 2)).toEqual(['schemaVersion', 'type']);
      expect(line).toMatchObject({ schemaVersion: 1, atMs: expect.any(Number) });
    }
  });

  test('--wait starts once LM Studio answers', async () => {
    const away = world.simulator.restart({ downMs: 1500 });
    const mai = world.start(`watch --wait ${SOON}`);
    await away;
    await mai.line('switch-finished');
    expect(world.residents()).toEqual(['mai/test/large']);
    expect(await mai.interrupt()).toMatchObject({
      exitCode: 0,
      err: expect.stringMatching(/^LM Studio does not answer yet\. Waiting for LM Studio/),
    });
  });

  test('while LM Studio is off, fails without --wait, and waits for Ctrl-C with --wait', async () => {
    await world.simulator.stop();
    expect(await world.start(`watch ${SOON}`).ended).toBe(4);
    const mai = world.start(`watch --wait ${SOON}`);
    while (!mai.err().includes('Waiting')) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await mai.interrupt()).exitCode).toBe(130);
  });

  test('steps down while the program of a rule runs, and up again when the program ends', async () => {
    await world.writeConfig({
      rules: [{ when: { process: 'mai-test-program' }, then: { tier: 'small' } }],
    });
    const mai = world.start(`watch ${SOON}`);
    await mai.line('switch-finished');
    const program = await startProgram(world.folder, 'mai-test-program');
    const down = await mai.line('switch-finished', ({ outcome, unloaded }) => {
      return outcome === 'switched' && String(unloaded) === 'mai/test/large';
    });
    expect(down).toMatchObject({ loaded: ['mai/test/small'] });
    const from = mai.lines().length;
    await program.end();
    await mai.line('switch-finished', ({ loaded }) => String(loaded) === 'mai/test/large', from);
    expect(world.residents()).toEqual(['mai/test/large']);
    await mai.interrupt();
    const replay = await replayDecisions(await readLog());
    expect(replay).toMatchObject({ difference: null, unreadable: [] });
    expect(replay.reproduced).toBeGreaterThanOrEqual(3);
  });

  test('--dry-run decides but loads, unloads and writes nothing', async () => {
    await world.mai('load test/small');
    const before = await everyFile(world.folder);
    const mai = world.start(`watch --dry-run ${SOON}`);
    const decided = await mai.line('decided');
    expect(decided).toMatchObject({ chosen: { modelKey: 'test/large' }, decision: 'switch' });
    await someRounds();
    const { exitCode } = await mai.interrupt();
    expect(exitCode).toBe(0);
    expect(world.residents()).toEqual(['mai/test/small']);
    expect(await everyFile(world.folder)).toEqual(before);
  });

  test('a second `mai watch` reports the first and ends', async () => {
    const first = world.start(`watch ${SOON}`);
    await first.line('switch-finished');
    const { exitCode, err, out } = await world.mai('watch');
    expect(exitCode).toBe(8);
    expect(err).toMatch(/^error: An autopilot for .* is already running: process \d+/);
    expect(out).toBe('');
    expect(world.residents()).toEqual(['mai/test/large']);
    await first.interrupt();
    // The lock is free again.
    const next = world.start(`watch ${SOON}`);
    await next.line('switch-finished');
    await next.interrupt();
  });

  test('adopts a model that an earlier run left loaded', async () => {
    await world.mai('load test/large --identifier mai/test/large --context 2048');
    const mai = world.start(`watch ${SOON}`);
    expect(await mai.line('decided')).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'mai/test/large' },
    });
    await mai.interrupt();
  });

  describe('the configuration', () => {
    test('an edit during the run is applied as a whole', async () => {
      const mai = world.start(`watch ${SOON}`);
      await mai.line('switch-finished');
      const fallback_chains = { default: ['test/small', 'test/large'] };
      await world.writeConfig({ fallback_chains });
      expect(await mai.line('config-applied')).toMatchObject({ file: world.configFile });
      await mai.line('switch-finished', ({ loaded }) => String(loaded) === 'mai/test/small');
      expect(world.residents()).toEqual(['mai/test/small']);
      // An edit of `switching` applies, too: with `idle: release` the model stays loaded at the end.
      const from = mai.lines().length;
      await world.writeConfig({ fallback_chains, switching: { idle: 'release' } });
      await mai.line('config-applied', () => true, from);
      await mai.interrupt();
      expect(world.residents()).toEqual(['mai/test/small']);
    });

    test('an edit with a fault is not applied at all', async () => {
      await world.writeConfig({ fallback_chains: { mine: ['test/large'] } });
      const mai = world.start(`watch --chain mine ${SOON}`);
      await mai.line('switch-finished');
      await writeFile(world.configFile, 'version: 1\nmodels: []\nswitching: { dwell: soon }\n');
      expect(await mai.line('catalog-rejected')).toMatchObject({
        error: { code: 'CONFIG_INVALID' },
      });
      // A valid configuration, but the chain in use is missing.
      const from = mai.lines().length;
      await world.writeConfig({ fallback_chains: { other: ['test/small'] } });
      expect(await mai.line('catalog-rejected', () => true, from)).toMatchObject({
        error: { code: 'USAGE' },
      });
      await someRounds();
      expect(world.residents()).toEqual(['mai/test/large']);
      await mai.interrupt();
      // Each fault is reported once, not at every round.
      const types = mai.lines().map(({ type }) => type);
      expect(types.filter((type) => type === 'catalog-rejected')).toHaveLength(2);
      expect(types).not.toContain('config-applied');
    });

    test('a fault at the start ends `mai watch` with 2', async () => {
      await writeFile(world.configFile, 'version: 2\n');
      expect((await world.mai('watch')).exitCode).toBe(2);
      await world.writeConfig();
      const unknown = await world.mai('watch --chain nowhere');
      expect(unknown.exitCode).toBe(2);
      expect(unknown.err).toContain('no fallback chain "nowhere"');
      expect(await everyFile(world.folder)).toEqual([]);
    });
  });

  test('reports a fault while LM Studio is off, and recovers afterwards', async () => {
    const mai = world.start(`watch ${SOON}`);
    await mai.line('switch-finished');
    // Long enough for one round even on a busy machine.
    const back = world.simulator.restart({ downMs: 3_000 });
    expect(await mai.line('fault')).toMatchObject({ error: { code: 'UNREACHABLE' } });
    await back;
    await mai.line('recovered');
    expect(world.residents()).toEqual(['mai/test/large']);
    const { exitCode } = await mai.interrupt();
    expect(exitCode).toBe(0);
  });

  test('ends with 8 where the journal is malformed, and does not change it', async () => {
    await world.mai('pin test/large');
    const [name = ''] = await everyFile(world.folder);
    const journal = path.join(world.folder, name);
    await writeFile(journal, 'not a journal');
    for (const line of ['watch', 'watch --dry-run', 'yield 1GiB', 'pin']) {
      const { exitCode, err } = await world.mai(line);
      expect(err).toMatch(/^error: .*journal\.json is not a journal of this version of Mai/);
      expect(exitCode).toBe(8);
    }
    // A load succeeds even if its pin cannot be written.
    const load = await world.mai('load test/small');
    expect(load.exitCode).toBe(0);
    expect(load.err).toMatch(/warning: .*journal\.json is not a journal/);
    expect(await readFile(journal, 'utf8')).toBe('not a journal');
  });

  test('ends with 4 where LM Studio is off', async () => {
    await world.simulator.stop();
    expect((await world.mai('watch')).exitCode).toBe(4);
  });

  test('on a terminal, shows a live view within 80 columns, and restores the cursor at the end', async () => {
    const mai = world.start(`watch ${SOON}`, { columns: 80 });
    while (!mai.out().includes('keep test/large')) await new Promise(setImmediate);
    const { exitCode } = await mai.interrupt();
    expect(exitCode).toBe(0);
    // eslint-disable-next-line no-control-regex
    const plain = mai.out().replace(/\u001b\[[?0-9;]*[A-Za-z]/g, '');
    expect(plain).toMatch(/mai watch {2}running {2}LM Studio/);
    expect(plain).toMatch(/mai\/test\/large +2,048 +\d.* GiB +idle +Mai/);
    // A line may break within the sentence.
    expect(plain.replaceAll(/\s+/g, ' ')).toMatch(
      /Decision keep test\/large: it is loaded and is the best model that fits \(about [\d.,]+ tokens a second\)\./,
    );
    expect(plain).toMatch(/Next +a step down when RAM stays above 95 % for 1\.0 s/);
    expect(plain).toMatch(/Unloaded mai\/test\/large in .*\n.*Stopped\.\n$/);
    for (const line of plain.split(/[\r\n]+/)) expect(textWidth(line)).toBeLessThanOrEqual(80);
    const [hide, show] = ['\u001b[?25l', '\u001b[?25h'];
    expect(mai.out()).toContain(hide);
    expect(mai.out().lastIndexOf(hide)).toBeLessThan(mai.out().lastIndexOf(show));
    expect(mai.out().endsWith(show)).toBe(true);
  });
});
