// The gateway on a real host in front of the machine of machine-process.mjs. Prints its port. Whoever starts it removes `FOLDER`.
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { createGateway } from '@mai/gateway';
import { openHost } from '@mai/host';

const GIB = 1024 ** 3;
const { FOLDER, LM_STUDIO, MACHINE } = process.env;
const folder = await mkdtemp(path.join(FOLDER, 'host-'));
const chat = (key, category, capabilities) => ({
  key,
  category,
  capabilities: ['chat', ...capabilities],
  context_window: 8192,
});
const host = await openHost({
  url: LM_STUDIO,
  config: {
    version: 1,
    models: [
      chat('bench/large', 'large', ['tools']),
      chat('bench/other', 'medium', []),
      chat('bench/small', 'small', ['tools']),
    ],
    fallback_chains: { default: ['bench/large', 'bench/other', 'bench/small'] },
    switching: { dwell: '1s', cool_down: '1s' },
  },
  monitor: { snapshot, readRam: null, settled: null },
  dataFolder: path.join(folder, 'data'),
  cacheFolder: path.join(folder, 'cache'),
  configFolder: folder,
  userHome: folder,
  cwd: folder,
  env: {},
  warn: (message) => console.error(message),
});
const gateway = await createGateway({ serving: host.serving });
const { port } = await gateway.listen({ port: 0 });
console.log(JSON.stringify({ port }));
for await (const change of host.serving.changes()) {
  if (change.type === 'loaded') await fetch(`${MACHINE}/loaded/${change.tookMs}`);
}

async function snapshot() {
  const { othersBytes, usedBytes } = await (await fetch(MACHINE)).json();
  const totalBytes = 32 * GIB;
  const availableBytes = Math.max(0, totalBytes - othersBytes - usedBytes);
  return {
    timestampMs: Date.now(),
    observable: true,
    ram: { totalBytes, availableBytes, mappedCountsAsUsed: true },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  };
}
