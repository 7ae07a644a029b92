// A child process that reads the metadata of JSON texts that stand for GGUF files. A file that names a crash ends it.
import { readFileSync } from 'node:fs';

process.on('message', async ({ files }) => {
  const send = (message) => new Promise((resolve) => process.send(message, resolve));
  await send({
    type: 'devices',
    devices: [{ backend: 'CPU', type: 'cpu', name: 'CPU', totalBytes: 1 }],
  });
  for (const file of files) {
    const { metadata = null, crashInspection = false } = JSON.parse(readFileSync(file, 'utf8'));
    if (crashInspection) process.kill(process.pid, 'SIGSEGV');
    await send({ type: 'file', file, metadata });
  }
  process.exit(0);
});
