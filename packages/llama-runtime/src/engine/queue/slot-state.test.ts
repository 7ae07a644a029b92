import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { removeAbandonedStates, writeSlotState } from './slot-state.js';

test('a state is readable by this user only, and is removed with its folder', () => {
  const state = writeSlotState(Int32Array.of(5, 7, 11));
  const file = state?.file ?? '';
  const words = new Int32Array(new Uint8Array(readFileSync(file)).buffer);
  expect([...words].slice(2, 6)).toEqual([3, 5, 7, 11]);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(statSync(path.dirname(file)).mode & 0o077).toBe(0);
  state?.remove();
  state?.remove();
  expect(existsSync(path.dirname(file))).toBe(false);
});

test('only the states of processes that have ended are removed', () => {
  const state = writeSlotState(Int32Array.of(5));
  const own = path.dirname(state?.file ?? '');
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  const abandoned = path.join(path.dirname(own), `mai-slot-${pid}-abcdef`);
  const foreign = path.join(path.dirname(own), `mai-slots-${pid}-abcdef`);
  mkdirSync(abandoned);
  mkdirSync(foreign);
  try {
    removeAbandonedStates();
    expect([own, abandoned, foreign].map((folder) => existsSync(folder))).toEqual([
      true,
      false,
      true,
    ]);
  } finally {
    state?.remove();
    rmSync(foreign, { recursive: true });
  }
});

// Only root can make a folder of another user.
(process.getuid?.() === 0 ? test : test.skip)('the states of other users stay', () => {
  const state = writeSlotState(Int32Array.of(5));
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  const foreign = path.join(path.dirname(path.dirname(state?.file ?? '')), `mai-slot-${pid}-abc`);
  mkdirSync(foreign);
  chownSync(foreign, 1234, 1234);
  try {
    removeAbandonedStates();
    expect(existsSync(foreign)).toBe(true);
  } finally {
    state?.remove();
    rmSync(foreign, { recursive: true });
  }
});
