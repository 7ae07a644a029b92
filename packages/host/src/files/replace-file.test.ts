import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { replaceFile } from './replace-file.js';

it('reports why the file could not be written, also where its draft cannot be removed', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mai-replace-'));
  try {
    const noFolder = path.join(folder, 'a-file');
    await writeFile(noFolder, '');
    // Both the folder's creation and the draft's removal fail here.
    await expect(replaceFile(path.join(noFolder, 'note.json'), '{}')).rejects.toMatchObject({
      code: 'EEXIST',
      syscall: 'mkdir',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
