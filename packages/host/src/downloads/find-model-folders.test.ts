import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { acquireRunningLock, systemClock } from '@mai/autopilot';
import { openStoreTree, type StoreTree } from '../../test/store-tree.js';
import { publishNote } from '../control/wire/endpoint.js';
import { contextOf, type HostContext } from '../host-options.js';
import { embeddedAutopilotFiles } from '../runtime/autopilot-files.js';
import { findModelFolders } from './find-model-folders.js';

let tree: StoreTree;
let context: HostContext;
beforeEach(async () => {
  tree = await openStoreTree();
  const { home } = tree;
  context = contextOf(
    { userHome: home, env: {}, cwd: home, platform: 'linux', modelFolders: ['mine'] },
    new AbortController().signal,
  );
});
afterEach(() => tree[Symbol.asyncDispose]());

/** Publishes the note of the process that holds the running lock. */
async function publish(processId: number): Promise<void> {
  await publishNote(embeddedAutopilotFiles(context).control, {
    endpoint: tree.at('mai-0.sock'),
    processId,
    modelFolders: [tree.at('served')],
  });
}

function lock(clock = systemClock) {
  const { folder, address } = embeddedAutopilotFiles(context);
  return acquireRunningLock(folder, address, clock);
}

test('the folders of the running autopilot count, too', async () => {
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  const running = await lock();
  await publish(process.pid);
  expect(await findModelFolders(context)).toEqual([tree.at('mine'), tree.at('served')]);
  await running.release();
});

test('the note of a killed autopilot names no folder', async () => {
  const program = spawn(process.execPath, ['-e', '']);
  await once(program, 'exit');
  await publish(program.pid ?? 0);
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  // The next autopilot holds the lock and has not yet replaced the note.
  const running = await lock();
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  await running.release();
});

test('the note of a killed autopilot whose process number another process has names no folder', async () => {
  const twoMinutesAgo = { ...systemClock, nowMs: () => systemClock.nowMs() - 120_000 };
  const killed = await lock(twoMinutesAgo);
  await publish(process.pid);
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  await killed.release();
});

test('the note of an older Mai, without folders, is read', async () => {
  const { control } = embeddedAutopilotFiles(context);
  const older = JSON.stringify({ endpoint: tree.at('mai-0.sock'), processId: process.pid });
  await tree.put(control.slice(tree.home.length + 1), Buffer.from(older));
  const running = await lock();
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  await running.release();
});
