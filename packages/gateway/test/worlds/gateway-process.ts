// A gateway on a host, as a process of its own. Arguments: URL of LM Studio, folder of the host's files. Prints the
// gateway's URL, and drains on SIGTERM.
import path from 'node:path';
import { openHost, type MonitorPort } from '@mai/host';
import { createGateway } from '../../src/index.js';
import { TWO_CHAT_MODELS } from './two-chat-models.js';

const GIB = 1024 ** 3;

/** A machine of 32 GiB of which other programs use 6. */
const monitor: MonitorPort = {
  snapshot: async () => ({
    timestampMs: Date.now(),
    observable: true,
    ram: { totalBytes: 32 * GIB, availableBytes: 26 * GIB, mappedCountsAsUsed: false },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  }),
  readRam: null,
  settled: null,
};

async function main(url: string, folder: string): Promise<void> {
  const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));
  const host = await openHost({
    url,
    monitor,
    config: TWO_CHAT_MODELS,
    userHome: folder,
    cwd: folder,
    env: {},
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    warn: (message) => process.stderr.write(`${message}\n`),
  });
  const gateway = await createGateway({ serving: host.serving });
  const listening = await gateway.listen({ port: 0 });
  process.stdout.write(`${listening.url}\n`);
  await stopped;
  await gateway.drain();
  await gateway[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
}

const [url = '', folder = ''] = process.argv.slice(2);
void main(url, folder);
