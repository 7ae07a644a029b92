import { openWatchWorld } from '../../../test/watch-world.js';

// The test waits for real dwell times, which take longer on a busy machine.
jest.setTimeout(60_000);

test('`mai explain` and `mai replay` read the log of `mai watch`', async () => {
  await using world = await openWatchWorld();
  const mai = world.start('watch --interval 20ms');
  await mai.line('switch-finished');
  // Both commands also work while `mai watch` runs.
  expect((await world.mai('replay')).exitCode).toBe(0);
  await mai.line('decided', ({ decision }) => decision === 'keep');
  await mai.interrupt();

  const { out, err } = await world.mai('explain --last 50');
  expect(err).toBe('');
  expect(out).toMatch(/^\S+, .* ago: loaded test\/large\.\n/);
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(
    /Memory RAM \d+ % in use \(.* GiB\), [\d.]+ [GM]iB below its limit of 95 %/,
  );
  expect(out).toMatch(/Timing +at once: no model of the chain was loaded\./);
  expect(out).toMatch(/Done +loaded test\/large in /);
  expect(out).toMatch(/RAM +[\d.]+ GiB available before, [\d.]+ GiB after\./);
  const replay = await world.mai('replay');
  expect(replay.exitCode).toBe(0);
  expect(replay.out).toMatch(/^\d+ decisions? replayed bit for bit\.\n$/);
});
