import { createFakeClock, flush } from '../../test/fake-clock.js';
import type { FakeStream } from '../../test/fake-executor.js';
import { createFakeExecutor } from '../../test/fake-executor.js';
import { createSupervisedStream } from './supervised-stream.js';

function setUp() {
  const clock = createFakeClock();
  const executor = createFakeExecutor([]);
  const lines: string[] = [];
  const stream = createSupervisedStream({
    executor,
    clock,
    name: 'tool',
    command: () => ({ program: 'tool', args: [] }),
    intervalMs: () => 1000,
    onLine: (line) => {
      if (line.startsWith('bad')) return false;
      lines.push(line);
      return true;
    },
    onState: () => undefined,
  });
  const running = (): FakeStream | null => [...executor.running][0] ?? null;
  /** Calls `keepAlive` every second, as a monitor does, and lets the program print. */
  const live = async (seconds: number, print: string | null): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      stream.keepAlive();
      await flush();
      if (print !== null) running()?.print(print);
      await clock.advance(1000);
    }
  };
  return { clock, executor, lines, stream, running, live };
}

describe('a supervised stream', () => {
  it('starts at the first use, and only once', async () => {
    const { executor, stream } = setUp();
    expect(executor.started).toHaveLength(0);
    stream.keepAlive();
    stream.keepAlive();
    await flush();
    expect(executor.started).toHaveLength(1);
    expect(stream.state).toEqual({ trouble: null, lastWords: null, starting: true });
  });

  it('is killed when it falls silent, and restarted after a back-off', async () => {
    const { executor, stream, running, live } = setUp();
    await live(3, 'fine');
    await live(5, null);
    expect(stream.state.trouble).toBe('tool printed no figures for 4 s (next try in 1 s)');
    await live(2, 'fine');
    expect(executor.started).toHaveLength(2);
    expect(running()).not.toBeNull();
    expect(stream.state.trouble).toBeNull();
  });

  it('counts lines in an unknown format as silence, and reports the last such line', async () => {
    const { stream, live } = setUp();
    await live(17, 'bad: driver mismatch');
    expect(stream.state.trouble).toMatch(
      /^tool printed no figures for \d+ s, and its last message was: bad: driver/,
    );
  });

  it('is killed when it floods, and restarted after a back-off', async () => {
    const { executor, stream, running, live } = setUp();
    await live(3, 'fine');
    running()?.print('fine\n'.repeat(2000));
    expect(stream.state.trouble).toBeNull();
    running()?.print('fine\n');
    expect(stream.state.trouble).toBe(
      'tool printed more than 2000 lines in a second (next try in 1 s)',
    );
    expect(running()).toBeNull();
    await live(2, 'fine');
    expect(executor.started).toHaveLength(2);
    expect(stream.state.trouble).toBeNull();
  });

  it('allows almost 15 seconds to the first line, because the driver may have to wake GPUs', async () => {
    const { executor, lines, live } = setUp();
    await live(14, null);
    await live(1, 'at last');
    expect(lines).toEqual(['at last']);
    expect(executor.started).toHaveLength(1);
  });

  it('doubles its back-off up to a minute, and resets it after a minute without fault', async () => {
    const { clock, executor, stream, running, live } = setUp();
    const starts: number[] = [];
    for (let second = 0; second < 400; second += 1) {
      const before = executor.started.length;
      stream.keepAlive();
      await flush();
      if (executor.started.length > before) starts.push(clock.monotonicMs() / 1000);
      running()?.end('exited with code 9');
      await clock.advance(1000);
    }
    expect(starts.map((start, index) => start - (starts[index - 1] ?? 0))).toEqual([
      0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60,
    ]);
    await live(200, 'fine');
    running()?.end('exited with code 9');
    expect(stream.state.trouble).toBe('tool exited with code 9 (next try in 1 s)');
  });

  it("reports the program's last message when it ends", async () => {
    const { stream, running } = setUp();
    stream.keepAlive();
    await flush();
    running()?.print('bad: no devices');
    running()?.end('exited with code 6');
    expect(stream.state).toMatchObject({
      trouble: 'tool said: bad: no devices (next try in 1 s)',
      lastWords: 'bad: no devices',
    });
  });

  it('removes escape sequences from the message of a program', async () => {
    const { stream, running } = setUp();
    stream.keepAlive();
    await flush();
    running()?.print('bad: \u001b[31mred\u001b[0m\u0007 \ufffd\u0000 alert');
    running()?.end('exited with code 6');
    expect(stream.state.trouble).toBe('tool said: bad: red alert (next try in 1 s)');
  });

  it('ends the program after half a minute without use, which is not a fault', async () => {
    const { clock, executor, stream, running, live } = setUp();
    await live(2, 'fine');
    for (let second = 0; second < 40; second += 1) {
      running()?.print('fine');
      await clock.advance(1000);
    }
    expect(running()).toBeNull();
    expect(stream.state.trouble).toBeNull();
    stream.keepAlive();
    await flush();
    expect(executor.started).toHaveLength(2);
  });

  it('starts no more programs while two earlier programs cannot be killed', async () => {
    const clock = createFakeClock();
    const ends: ((detail: string) => void)[] = [];
    const stream = createSupervisedStream({
      executor: {
        ...createFakeExecutor([]),
        stream: (_program, _args, { onEnd }) => {
          ends.push(onEnd);
          // A process that hangs in the kernel ignores signals.
          return Promise.resolve({ processId: 1, send: () => undefined, stop: async () => {} });
        },
      },
      clock,
      name: 'tool',
      command: () => ({ program: 'tool', args: [] }),
      intervalMs: () => 1000,
      onLine: () => true,
      onState: () => undefined,
    });
    const live = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        stream.keepAlive();
        await clock.advance(1000);
      }
    };
    await live(600);
    expect(ends).toHaveLength(2);
    expect(stream.state.trouble).toMatch(/^tool printed no figures/);
    ends[0]?.('killed by SIGKILL');
    await live(60);
    expect(ends).toHaveLength(3);
    await stream.stop();
  });

  it('restarts at once with other arguments', async () => {
    const { executor, stream, live } = setUp();
    await live(2, 'fine');
    stream.restart();
    await flush();
    expect(executor.started).toHaveLength(2);
    expect(executor.running.size).toBe(1);
  });

  it('leaves nothing running after a stop, and does not start again', async () => {
    const { clock, executor, stream, live } = setUp();
    await live(2, 'fine');
    await stream.stop();
    stream.keepAlive();
    await flush();
    expect(executor.running.size).toBe(0);
    expect(executor.started).toHaveLength(1);
    expect(clock.sleeping).toBe(0);
  });
});
