import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedClient } from '../runtime/runtime-client.js';
import { openMonitor } from './open-monitor.js';

const NEVER = new AbortController().signal;

test('the CPU load of the embedded engine does not count as that of other programs', async () => {
  const engine = spawn(process.execPath, ['-e', 'console.log(1); for (;;);']);
  try {
    await once(engine.stdout, 'data');
    await using monitor = openMonitor({
      monitor: null,
      env: process.env,
      platform: process.platform,
    });
    const { own } = monitor;
    if (own === null) throw new Error('the host has a monitor of its own');
    // A share is known after two readings of each process.
    const enginesRatio = async (): Promise<number> => {
      for (;;) {
        await delay(100);
        const { enginesRatio } = (await own.snapshot()).cpu;
        if (enginesRatio !== null) return enginesRatio;
      }
    };
    const client: Pick<EmbeddedClient, 'watchEngines'> = {
      watchEngines: () =>
        Promise.resolve({
          reports: () => [{ ...REPORT, pid: engine.pid ?? null }],
          close: () => Promise.resolve(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
    };
    expect(await enginesRatio()).toBe(0);

    await monitor.inform(
      { kind: 'on', runtime: 'embedded', client: client as EmbeddedClient },
      NEVER,
    );
    // On a busy machine, the engine may get no turn between two readings.
    let ratio = 0;
    while (ratio === 0) ratio = await enginesRatio();
    expect(ratio).toBeGreaterThan(0);
  } finally {
    engine.kill('SIGKILL');
  }
});

const REPORT = {
  instanceIdentifier: 'a',
  reference: null,
  engine: { name: 'llama.cpp', version: '1' },
  buffers: [],
  offloadedLayers: null,
};
