import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hostOf, inputOf, loadedModel } from '../../test/known-hosts.js';
import { placeRequest } from '../placement/place-request.js';
import type { PlacedRequest } from './placed-request.js';
import { openPlacementLog, readPlacements, RECENT_MAX } from './placement-log.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-placements-'));
  file = path.join(folder, 'placements.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const input = inputOf([hostOf('own', []), hostOf('desktop', [loadedModel()])]);
const placedAs = (id: string): PlacedRequest => ({
  id,
  atMs: 1,
  input,
  placement: placeRequest(input),
  attempts: [],
});

test('the last placement, and the placement of an identifier, are found and can be replayed', async () => {
  const log = openPlacementLog(file, (error) => {
    throw error;
  });
  for (const id of ['one', 'two', 'three']) log.record(placedAs(id));
  await log[Symbol.asyncDispose]();
  expect(await readPlacements(file)).toEqual([placedAs('three')]);
  const [one] = await readPlacements(file, { id: 'one' });
  expect(one).toEqual(placedAs('one'));
  if (one?.input == null) throw new Error('The input was not kept.');
  expect(placeRequest(one.input)).toEqual(one.placement);
  expect(await readPlacements(file, { id: 'four' })).toEqual([]);
});

test('a line cut off by a crash is left out, and a missing log counts as empty', async () => {
  expect(await readPlacements(file)).toEqual([]);
  const log = openPlacementLog(file, () => undefined);
  log.record(placedAs('one'));
  await log[Symbol.asyncDispose]();
  await appendFile(file, '{"id":"two","pla');
  expect((await readPlacements(file)).map(({ id }) => id)).toEqual(['one']);
});

test('a log that cannot be written is reported once, and again after it was written meanwhile', async () => {
  const faults: unknown[] = [];
  const late = path.join(folder, 'late');
  const log = openPlacementLog(path.join(late, 'file'), (error) => faults.push(error));
  const record = async (): Promise<number> => {
    log.record(placedAs('one'));
    await log[Symbol.asyncDispose]();
    return faults.length;
  };
  expect([await record(), await record()]).toEqual([1, 1]);
  await mkdir(late);
  expect([await record(), await record()]).toEqual([1, 1]);
  await rm(late, { recursive: true });
  expect([await record(), await record()]).toEqual([2, 2]);
});

test('keeps the last placements, those of the file before included, newest first', async () => {
  const earlier = Array.from({ length: RECENT_MAX }, (_, index) => placedAs(`old-${index}`));
  const log = openPlacementLog(file, () => undefined, earlier);
  log.record(placedAs('new'));
  const ids = log.recent().map(({ id }) => id);
  expect(ids).toHaveLength(RECENT_MAX);
  expect(ids.slice(0, 2)).toEqual(['new', 'old-0']);
  expect(ids.at(-1)).toBe(`old-${RECENT_MAX - 2}`);
  await log[Symbol.asyncDispose]();
});
