import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isAutopilotError } from '../autopilot-error.js';
import { systemClock, type Clock } from '../ports/clock.js';
import { createFileJournal } from './file-journal.js';
import { EMPTY_JOURNAL, type JournalState } from './journal-state.js';
import { newOwner } from './process-lock.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mai journal '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const addPin =
  (target: string) =>
  (state: JournalState): JournalState => ({
    ...state,
    revision: state.revision + 1,
    pins: [...state.pins, { target, reason: 'pin', sinceMs: 0 }],
  });

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createFileJournal', () => {
  it('is empty where the file does not exist, and a read does not create the file', async () => {
    const journal = createFileJournal(path.join(folder, 'deep', 'journal.json'), systemClock);
    expect(await journal.read({})).toEqual(EMPTY_JOURNAL);
    expect(await readdir(folder)).toEqual([]);
  });

  it('returns the written state, also in another process, and leaves no other file', async () => {
    const file = path.join(folder, 'data', 'journal.json');
    const state: JournalState = {
      version: 1,
      revision: 7,
      acknowledged: { revision: 6, processId: 42, atMs: 1000 },
      pins: [{ target: 'qwen/qwen3-8b', reason: 'load', sinceMs: 1 }],
      yields: [
        { name: 'game', bytes: 8, pools: 'all', sinceMs: 1, untilMs: null, processId: 99 },
        { name: 'render', bytes: 9, pools: 'gpu', sinceMs: 2, untilMs: 5, processId: null },
      ],
      failures: {
        a: {
          failures: 2,
          code: 'LOAD_FAILED',
          message: 'The engine crashed.',
          lastAtMs: 1,
          coolingDownUntilMs: 2,
          availableBytes: null,
          fileStamp: '/a.gguf 1 2 3',
        },
        b: {
          failures: 1,
          code: 'OUT_OF_MEMORY',
          message: null,
          lastAtMs: 3,
          coolingDownUntilMs: 4,
          availableBytes: 1024,
          fileStamp: null,
        },
      },
    };
    await createFileJournal(file, systemClock).update(() => state, {});
    expect(await createFileJournal(file, systemClock).read({})).toEqual(state);
    expect(await readdir(path.dirname(file))).toEqual(['journal.json']);
  });

  it('reads failures that an older version wrote without a message and a file', async () => {
    const file = path.join(folder, 'journal.json');
    const entry = { code: 'LOAD_FAILED', lastAtMs: 1, coolingDownUntilMs: 2, availableBytes: null };
    const failures = { a: { ...entry, failures: 1 } };
    await writeFile(file, JSON.stringify({ ...EMPTY_JOURNAL, failures }));
    const state = await createFileJournal(file, systemClock).read({});
    expect(state.failures).toEqual({ a: { ...failures.a, message: null, fileStamp: null } });
  });

  it('loses no change when several processes write at once', async () => {
    const file = path.join(folder, 'journal.json');
    const targets = Array.from({ length: 12 }, (_, index) => `model-${index}`);
    await Promise.all(
      targets.map((target) => createFileJournal(file, systemClock).update(addPin(target), {})),
    );
    const state = await createFileJournal(file, systemClock).read({});
    expect(state.pins.map((pin) => pin.target).sort()).toEqual([...targets].sort());
    expect(state.revision).toBe(12);
  });

  it('waits for longer than two seconds while other writers take turns, and gives up where one holds the lock', async () => {
    const file = path.join(folder, 'journal.json');
    const lock = `${file}.lock`;
    let nowMs = 0;
    let holders = 0;
    const hold = (token: string): Promise<void> =>
      writeFile(lock, JSON.stringify({ ...newOwner(nowMs), token }));
    /** Each wait takes a second. Then the next writer holds the lock, five writers in all. */
    const clock: Clock = {
      ...systemClock,
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      sleep: async () => {
        nowMs += 1000;
        holders += 1;
        await (holders < 5 ? hold(`writer-${holders}`) : rm(lock));
      },
    };
    await hold('writer-0');
    await createFileJournal(file, clock).update(addPin('late'), {});
    expect(nowMs).toBe(5000);

    await hold('writer-5');
    const stuck: Clock = { ...clock, sleep: () => Promise.resolve(void (nowMs += 1000)) };
    await expect(createFileJournal(file, stuck).update(addPin('never'), {})).rejects.toMatchObject({
      code: 'JOURNAL_UNUSABLE',
      path: lock,
      processId: process.pid,
    });
    expect(nowMs).toBe(8000);
  });

  it('does not discard a lock that was released and taken again', async () => {
    const file = path.join(folder, 'journal.json');
    // Writers that never pause take and release the lock at every possible moment of another writer's attempt.
    const write = async (writer: number): Promise<void> => {
      const journal = createFileJournal(file, { ...systemClock, sleep: () => nextTurn() });
      for (let change = 0; change < 40; change += 1) {
        await journal.update(addPin(`model-${writer}-${change}`), {});
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, writer) => write(writer)));
    const { revision, pins } = await createFileJournal(file, systemClock).read({});
    expect([revision, pins.length]).toEqual([240, 240]);
  });

  it.each([
    ['not JSON', '{'],
    ['another version', JSON.stringify({ ...EMPTY_JOURNAL, version: 2 })],
    ['no revision', JSON.stringify({ ...EMPTY_JOURNAL, revision: null })],
    ['a pin without a target', JSON.stringify({ ...EMPTY_JOURNAL, pins: [{ reason: 'pin' }] })],
    [
      'an unknown failure code',
      JSON.stringify({
        ...EMPTY_JOURNAL,
        failures: {
          a: {
            failures: 1,
            code: 'toString',
            lastAtMs: 0,
            coolingDownUntilMs: 0,
            availableBytes: null,
          },
        },
      }),
    ],
  ])('refuses a file with %s and does not change the file', async (_, content) => {
    const file = path.join(folder, 'journal.json');
    await writeFile(file, content);
    const journal = createFileJournal(file, systemClock);
    const error: unknown = await journal.update(addPin('a'), {}).catch((reason: unknown) => reason);
    expect(isAutopilotError(error) && [error.code, error.path]).toEqual(['JOURNAL_UNUSABLE', file]);
    expect(await readFile(file, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual(['journal.json']);
  });

  it('throws JOURNAL_UNUSABLE when its folder is a file', async () => {
    await writeFile(path.join(folder, 'data'), '');
    const journal = createFileJournal(path.join(folder, 'data', 'journal.json'), systemClock);
    await expect(journal.update(addPin('a'), {})).rejects.toMatchObject({
      code: 'JOURNAL_UNUSABLE',
    });
  });
});
