import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ManualClock } from '../../test/manual-clock.js';
import { hostLiveness, isAlive, newOwner, readOwner, tryLock } from './process-lock.js';
import { acquireRunningLock, findRunning } from './running-lock.js';

const ADDRESS = 'ws://127.0.0.1:1234';
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mai lock '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Heartbeats write real files: each step waits until the heartbeat loop sleeps again. */
async function passHeartbeat(clock: ManualClock): Promise<void> {
  await clock.advance(5000);
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('acquireRunningLock', () => {
  it('gives the lock to one process per address, and names the holder to others', async () => {
    const clock = new ManualClock();
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    await expect(acquireRunningLock(folder, ADDRESS, clock)).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      processId: process.pid,
      runningSinceMs: clock.nowMs(),
    });
    const other = await acquireRunningLock(folder, 'ws://10.0.0.2:1234', clock);
    expect(await findRunning(folder, ADDRESS, clock)).toEqual({
      processId: process.pid,
      sinceMs: clock.nowMs(),
    });
    await lock.release();
    await other.release();
    await other.release();
    expect(await findRunning(folder, ADDRESS, clock)).toBeNull();
    expect(await readdir(folder)).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('says which file cannot be written', async () => {
    const notAFolder = path.join(folder, 'file');
    await writeFile(notAFolder, '');
    await expect(acquireRunningLock(notAFolder, ADDRESS, new ManualClock())).rejects.toMatchObject({
      code: 'JOURNAL_UNUSABLE',
      message: expect.stringContaining(notAFolder),
    });
  });

  it('gives the lock to exactly one of many processes at once', async () => {
    const clock = new ManualClock();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => acquireRunningLock(folder, ADDRESS, clock)),
    );
    const locks = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    expect(locks).toHaveLength(1);
    await Promise.all(locks.map((lock) => lock.release()));
  });

  it('stays held as long as its holder writes heartbeats', async () => {
    const clock = new ManualClock();
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    for (let beat = 0; beat < 20; beat += 1) await passHeartbeat(clock);
    expect(await findRunning(folder, ADDRESS, clock)).not.toBeNull();
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
  });

  it('takes over from a process that is gone', async () => {
    const clock = new ManualClock();
    const file = await fileOf(clock);
    await writeFile(
      file,
      JSON.stringify({ ...newOwner(clock.nowMs()), processId: 2 ** 22 + 1, token: 'dead' }),
    );
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    expect((await readOwner(file))?.processId).toBe(process.pid);
    await lock.release();
  });

  describe('where the last heartbeat of a living process is an hour old', () => {
    const HOUR_MS = 3_600_000;
    /** Writes the old holder, and begins to claim the lock. Resolves when the claim waits for a heartbeat. */
    async function claim() {
      const clock = new ManualClock();
      const file = await fileOf(clock);
      const holder = { ...newOwner(clock.nowMs() - HOUR_MS), token: 'holder' };
      await writeFile(file, JSON.stringify(holder));
      const claimed = acquireRunningLock(folder, ADDRESS, clock);
      claimed.catch(() => undefined);
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      return { clock, file, holder, claimed };
    }

    it('leaves the lock to a process that has slept and writes the next heartbeat', async () => {
      const { clock, file, holder, claimed } = await claim();
      await writeFile(file, JSON.stringify({ ...holder, aliveAtMs: clock.nowMs() }));
      await clock.advance(10_000);
      await expect(claimed).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
      expect((await readOwner(file))?.token).toBe('holder');
    });

    it('leaves the lock to a process with another time', async () => {
      const { clock, file, holder, claimed } = await claim();
      await writeFile(file, JSON.stringify({ ...holder, aliveAtMs: holder.aliveAtMs + 5000 }));
      await clock.advance(10_000);
      await expect(claimed).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    });

    it('waits no longer than the caller', async () => {
      const clock = new ManualClock();
      const file = await fileOf(clock);
      const holder = { ...newOwner(clock.nowMs() - HOUR_MS), token: 'holder' };
      await writeFile(file, JSON.stringify(holder));
      const stop = new AbortController();
      const claimed = acquireRunningLock(folder, ADDRESS, clock, ADDRESS, stop.signal);
      claimed.catch(() => undefined);
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      stop.abort(new Error('Ctrl-C'));
      await expect(claimed).rejects.toThrow('Ctrl-C');
    });

    it('takes the lock where no heartbeat comes: another program has the process id', async () => {
      const { clock, file, claimed } = await claim();
      await clock.advance(10_000);
      const lock = await claimed;
      expect((await readOwner(file))?.token).not.toBe('holder');
      await lock.release();
    });
  });

  it('aborts its signal when another process has taken it over', async () => {
    const clock = new ManualClock();
    const file = await fileOf(clock);
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    const taker = { ...newOwner(clock.nowMs()), token: 'taker' };
    await writeFile(file, JSON.stringify(taker));
    await clock.advance(5000);
    if (!lock.lost.aborted) {
      await new Promise((resolve) => {
        lock.lost.addEventListener('abort', resolve, { once: true });
      });
    }
    expect(lock.lost.reason).toMatchObject({ code: 'ALREADY_RUNNING' });
    await lock.release();
    expect((await readOwner(file))?.token).toBe('taker');
  });

  it('stays held when its file was removed, and other processes then see it again', async () => {
    const clock = new ManualClock();
    const file = await fileOf(clock);
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    await rm(file);
    await passHeartbeat(clock);
    expect(lock.lost.aborted).toBe(false);
    await expect(acquireRunningLock(folder, ADDRESS, clock)).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
    });
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over a lock file that is not JSON', async () => {
    const clock = new ManualClock();
    await writeFile(await fileOf(clock), 'rubbish');
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    await lock.release();
  });

  async function fileOf(clock: ManualClock): Promise<string> {
    const lock = await acquireRunningLock(folder, ADDRESS, clock);
    const [name] = await readdir(folder);
    await lock.release();
    return path.join(folder, name ?? '');
  }
});

describe('isAlive', () => {
  const nowMs = 1_000_000;
  const holder = { ...newOwner(nowMs), hostname: 'here', processId: 7 };
  const liveness = (alive: boolean) => ({
    hostname: 'here',
    isProcessAlive: () => alive,
    staleAfterMs: 60_000,
  });

  it.each([
    ['a living process with a recent heartbeat', holder, nowMs + 59_999, true, true],
    [
      'a living process without a recent heartbeat (a process id in use again)',
      holder,
      nowMs + 60_000,
      true,
      false,
    ],
    ['a dead process', holder, nowMs, false, false],
    [
      'another host with a recent heartbeat',
      { ...holder, hostname: 'there' },
      nowMs + 1,
      false,
      true,
    ],
    ['a heartbeat far in the future (a clock set back)', holder, nowMs - 60_000, true, false],
  ])('%s', (_, owner, atMs, processAlive, alive) => {
    expect(isAlive(owner, atMs, liveness(processAlive))).toBe(alive);
  });
});

describe('tryLock', () => {
  it('gives the lock of a dead holder to exactly one of many processes', async () => {
    const file = path.join(folder, 'x.lock');
    const nowMs = 1_000_000;
    await writeFile(file, JSON.stringify({ ...newOwner(0), token: 'dead', aliveAtMs: 0 }));
    const holders = await Promise.all(
      Array.from({ length: 8 }, () => tryLock(file, newOwner(nowMs), nowMs, hostLiveness(60_000))),
    );
    expect(holders.filter((holder) => holder === null)).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['x.lock']);
  });

  it('gives the lock of a dead holder to one process also where each process looks at another time', async () => {
    const file = path.join(folder, 'x.lock');
    const nowMs = 1_000_000;
    const dead = JSON.stringify({ ...newOwner(0), token: 'dead', aliveAtMs: 0 });
    for (let round = 0; round < 60; round += 1) {
      await writeFile(file, dead);
      const holders = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          for (let turn = 0; turn < (index * 7 + round) % 13; turn += 1) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          return await tryLock(file, newOwner(nowMs), nowMs, hostLiveness(60_000));
        }),
      );
      expect(holders.filter((holder) => holder === null)).toHaveLength(1);
    }
  });

  it('waits for a process that removes the file, and removes the guard of one that has died', async () => {
    const file = path.join(folder, 'x.lock');
    const guard = `${file}.removing`;
    await writeFile(file, JSON.stringify({ ...newOwner(0), token: 'dead', aliveAtMs: 0 }));
    await writeFile(guard, '');
    let done = false;
    const waiting = tryLock(file, newOwner(1_000_000), 1_000_000, hostLiveness(60_000)).then(
      (holder) => {
        done = true;
        return holder;
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(done).toBe(false);
    const longAgo = new Date(Date.now() - 11_000);
    await utimes(guard, longAgo, longAgo);
    expect(await waiting).toBeNull();
    expect(await readdir(folder)).toEqual(['x.lock']);
  });
});
