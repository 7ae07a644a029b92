import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writePrivateFile } from './private-file.js';

it('reports why the file could not be written, also where its draft cannot be removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mai-private-'));
  try {
    const noFolder = join(folder, 'a-file');
    await writeFile(noFolder, '');
    // Both the draft's creation and its removal fail here.
    await expect(writePrivateFile(join(noFolder, 'key.json'), '{}')).rejects.toMatchObject({
      code: 'FILE_UNUSABLE',
      cause: { code: 'ENOTDIR', syscall: 'open' },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
