import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findProcess } from '../process/system/process-identity.js';
import {
  type EngineRecord,
  readRecords,
  RECORD_VERSION,
  removeRecord,
  writeRecord,
} from './registry.js';

/** No system has a process of this number. */
const NO_PROCESS = 2 ** 31 - 1;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mai registry '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function recordOfThisProcess(): Promise<EngineRecord> {
  const startTime = (await findProcess(process.pid))?.startTime ?? null;
  const own = { pid: process.pid, startTime };
  return { version: RECORD_VERSION, reference: 'a', ...own, parent: own } as EngineRecord;
}

it('reads the records of running processes, and removes those of processes that are gone', async () => {
  const record = await recordOfThisProcess();
  await writeRecord(folder, record);
  await writeRecord(folder, { ...record, pid: NO_PROCESS });
  expect(await readRecords(folder)).toEqual([record]);
  expect(await readdir(folder)).toEqual([`${process.pid}.json`]);
});

it('leaves out records that are damaged, or of another version', async () => {
  await writeFile(path.join(folder, `${process.pid}.json`), 'not JSON');
  expect(await readRecords(folder)).toEqual([]);
  const record = await recordOfThisProcess();
  await writeFile(
    path.join(folder, `${process.pid}.json`),
    JSON.stringify({ ...record, version: 1 }),
  );
  expect(await readRecords(folder)).toEqual([]);
});

// A folder in place of the file fails for every user, root included.
it('lists the other engines where a record can neither be read nor removed', async () => {
  const record = await recordOfThisProcess();
  await writeRecord(folder, record);
  await mkdir(path.join(folder, `${process.ppid}.json`));
  await mkdir(path.join(folder, `${NO_PROCESS}.json`));
  expect(await readRecords(folder)).toEqual([record]);
  await expect(removeRecord(folder, NO_PROCESS)).resolves.toBeUndefined();
});
