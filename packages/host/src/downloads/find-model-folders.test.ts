import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

const publish = (processId: number) =>
  publishNote(embeddedAutopilotFiles(context).control, {
    endpoint: tree.at('mai-0.sock'),
    processId,
    modelFolders: [tree.at('served')],
  });

test('the folders of the running autopilot count, too', async () => {
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
  await publish(process.pid);
  expect(await findModelFolders(context)).toEqual([tree.at('mine'), tree.at('served')]);
});

test('the note of a killed autopilot names no folder', async () => {
  const program = spawn(process.execPath, ['-e', '']);
  await once(program, 'exit');
  await publish(program.pid ?? 0);
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
});

test('the note of an older Mai, without folders, is read', async () => {
  const { control } = embeddedAutopilotFiles(context);
  const older = JSON.stringify({ endpoint: tree.at('mai-0.sock'), processId: process.pid });
  await tree.put(control.slice(tree.home.length + 1), Buffer.from(older));
  expect(await findModelFolders(context)).toEqual([tree.at('mine')]);
});
