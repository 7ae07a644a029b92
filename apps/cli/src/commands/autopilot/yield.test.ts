import { startProgram } from '../../../test/start-program.js';
import type { WatchWorld } from '../../../test/watch-world.js';
import { openWatchWorld } from '../../../test/watch-world.js';

jest.setTimeout(60_000);

let world: WatchWorld;
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const yields = async () => (await world.mai('yield --json')).json()['yields'];
const pins = async () => (await world.mai('pin --json')).json()['pins'];
const NOBODY =
  'Neither `mai serve` nor `mai watch` is running. The next one will apply the change.\n';
const SEEN = `The running autopilot (process ${process.pid}) has read the change.\n`;

describe('while no `mai watch` runs', () => {
  test('a yield is stored for the next start, and the message says so', async () => {
    const { exitCode, out, err } = await world.mai('yield 8GiB');
    expect(exitCode).toBe(0);
    expect(out).toBe('Will keep 8.0 GiB free (by hand), until `mai yield --release`.\n');
    expect(err).toBe(NOBODY);
    const mai = world.start('watch --dry-run --interval 20ms');
    await mai.line('decided');
    await mai.interrupt();
    expect(await yields()).toMatchObject([{ name: 'by hand', bytes: 8 * 1024 ** 3, pools: 'all' }]);
  });

  test('`mai select` counts the memory of a yield as used, and names the yield', async () => {
    const chosen = async () => (await world.mai('select --json')).json();
    expect(await chosen()).toMatchObject({ yields: [], selection: { chosen: { tier: 'large' } } });
    // The large model takes half of the room. The yield leaves a quarter, in which the small model fits.
    await world.mai(`yield ${Math.round((1.5 * world.largeBytes) / 1024 ** 2)}MiB --name render`);
    expect(await chosen()).toMatchObject({
      yields: [{ name: 'render' }],
      selection: { chosen: { tier: 'small' } },
    });
    const { out, err } = await world.mai('select --load');
    expect(err).toMatch(/^Keeps .* free \(render\), until `mai yield --release`\.$/m);
    expect(out).toContain('Ready: test/small answers');
  });

  test('a second yield of a name replaces the first; a yield of another name is added', async () => {
    await world.mai('yield 8GiB');
    await world.mai('yield 2GiB');
    await world.mai('yield 1GiB --name game --pools gpu --for 30m');
    const GIB = 1024 ** 3;
    expect(await yields()).toMatchObject([
      { name: 'by hand', bytes: 2 * GIB, untilMs: null },
      { name: 'game', bytes: GIB, pools: 'gpu', untilMs: expect.any(Number) },
    ]);
    const listed = (await world.mai('yield')).out;
    expect(listed).toMatch(/^2\.0 GiB free \(by hand\), until `mai yield --release`\n/);
    expect(listed).toMatch(
      /1\.0 GiB of GPU memory free \(game\), for another (30 min|29 min \d+ s)\n$/,
    );
    expect((await world.mai('yield --release --name game')).out).toMatch(/^Released 1\.0 GiB/);
    expect((await world.mai('yield --release')).out).toMatch(/^Released 2\.0 GiB/);
    expect((await world.mai('yield --release')).out).toBe('There was no yield to release.\n');
    expect(await yields()).toEqual([]);
  });

  (process.platform === 'win32' ? test.skip : test)(
    'the name of a program is shown on one line, whatever it is',
    async () => {
      const program = await startProgram(world.folder, 'mai\ngame\u202e');
      const name = `mai game  ${program.processId}`;
      await world.mai(`yield 64MiB --while ${program.processId}`);
      expect(await yields()).toMatchObject([{ name, processId: program.processId }]);
      await program.end();
    },
  );

  test('--dry-run writes nothing', async () => {
    expect((await world.mai('yield 1GiB --dry-run')).out).toMatch(/^Would keep 1\.0 GiB free/);
    expect((await world.mai('pin test/large --dry-run')).out).toBe('Would pin test/large.\n');
    expect([await yields(), await pins()]).toEqual([[], []]);
  });

  test.each([
    ['yield many', 'SIZE is an amount such as 8GiB'],
    ['yield 8', 'SIZE is an amount such as 8GiB or 512MiB, not "8". Write 8GiB, for example.'],
    ['yield 0GiB', 'SIZE is an amount'],
    ['yield 1GiB --for 1h --until 22:30', 'Give one of them'],
    ['yield 1GiB --until noon', '--until takes a time such as 22:30'],
    ['yield 1GiB --until 2001-01-01T00:00', 'is in the past'],
    ['yield 1GiB --while no-such-program-here', 'No process called no-such-program-here'],
    ['yield 1GiB --while 999999999', 'There is no process 999999999'],
    ['yield 1GiB --release', 'takes no size'],
    ['yield --for 30m', '--for needs SIZE'],
    ['yield --release --name nothing', 'There is no yield "nothing"'],
    ['yield 1GiB --name a\u001b[2Jb', 'The name of a yield must be one line'],
    ['yield 1GiB --dry-run --name a\u202eb', 'The name of a yield must be one line'],
    ['pin a\u2028b', 'The target of a pin must be one line'],
    ['load test/small --identifier a\u009bb', 'The identifier of an instance must be one line'],
    ['unpin test/large', 'test/large is not pinned. Nothing is pinned.'],
  ])('%s is refused with 2', async (line, message) => {
    const { exitCode, err, out } = await world.mai(line);
    expect(err).toContain(message);
    expect([exitCode, out]).toEqual([2, '']);
  });

  test('checks the target of a pin while LM Studio runs', async () => {
    const unknown = await world.mai('pin test/lrge');
    expect(unknown.exitCode).toBe(5);
    expect(unknown.err).toContain('test/large');
    const { out, err } = await world.mai('pin test/large');
    expect(out).toBe('Pinned: test/large is not unloaded until `mai unpin`.\n');
    expect(err).toBe(NOBODY);
    expect((await world.mai('pin test/large')).out).toMatch(/^Already pinned/);
    await world.simulator.stop();
    const unchecked = await world.mai('pin mine');
    expect(unchecked.exitCode).toBe(0);
    expect(unchecked.err).toContain('was not checked');
    expect((await world.mai('unpin')).err).toContain('Name one of them, or add --all');
    expect((await world.mai('unpin mine')).out).toBe('Unpinned mine.\n');
    expect(await pins()).toMatchObject([{ target: 'test/large', reason: 'pin' }]);
    expect((await world.mai('unpin')).out).toBe('Unpinned test/large.\n');
  });

  test('a load by hand is pinned until it is unloaded by hand', async () => {
    const { err } = await world.mai('load test/small --identifier mine');
    expect(err).toContain(`It stays loaded until \`mai unload\`. ${NOBODY}`);
    expect(await pins()).toMatchObject([{ target: 'mine', reason: 'load' }]);
    await world.mai('unload mine');
    expect(await pins()).toEqual([]);
    // A pin that a person has set on the same instance stays.
    await world.mai('load test/small --identifier mine');
    await world.mai('pin mine');
    await world.mai('unload mine');
    expect(await pins()).toMatchObject([{ target: 'mine', reason: 'pin' }]);
  });

  test('the pin of a load by hand ends when another client unloads the model', async () => {
    await world.mai('load test/small --identifier first');
    await world.simulator.restart();
    await world.mai('load test/small --identifier second');
    expect(await pins()).toMatchObject([{ target: 'second' }]);
  });
});

describe('while `mai watch` runs', () => {
  test('each change is confirmed and takes effect', async () => {
    const mai = world.start('watch --interval 20ms');
    await mai.line('switch-finished');

    expect((await world.mai('pin test/large')).err).toBe(SEEN);
    expect(await mai.line('journal-changed')).toMatchObject({ pins: [{ target: 'test/large' }] });
    await mai.line('decided', ({ residents }) =>
      JSON.stringify(residents).includes('"pinned":true'),
    );
    expect((await world.mai('yield 64MiB --json')).json()).toMatchObject({
      yields: [{ bytes: 64 * 1024 ** 2 }],
      delivery: { seen: true, processId: process.pid },
    });
    expect((await world.mai('yield --release')).err).toBe(SEEN);
    expect((await world.mai('load test/small --identifier mine')).err).toContain(SEEN);
    expect((await world.mai('unload mine')).err).toContain(SEEN);

    await mai.interrupt();
    // The instance is pinned, so it stays loaded at the end.
    expect(mai.lines().find(({ type }) => type === 'left-loaded')).toMatchObject({ why: 'pinned' });
    expect(world.residents()).toEqual(['mai/test/large']);
  });

  test('a yield ends with its process', async () => {
    const mai = world.start('watch --interval 20ms');
    await mai.line('switch-finished');
    const program = await startProgram(world.folder, 'mai-test-game');
    const { out } = await world.mai('yield 64MiB --while mai-test-game');
    expect(out).toBe(
      `Keeping 64.0 MiB free (mai-test-game), until process ${program.processId} ends.\n`,
    );
    const from = mai.lines().length;
    await program.end();
    expect(await mai.line('journal-changed', () => true, from)).toMatchObject({ yields: [] });
    expect(await yields()).toEqual([]);
    await mai.interrupt();
  });
});
