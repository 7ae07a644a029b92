import { connectSdk, rejection, startWithClient } from '../test/connect-sdk.js';
import { manualClock, startSimulator } from './index.js';

test('no socket or timer is left after stop, whatever was in progress', async () => {
  const before = openResources();
  const simulator = await startSimulator({ speed: 0.001 });
  const connection = connectSdk(simulator.baseUrl);
  const outcomes = [
    rejection(connection.client.llm.load('qwen/qwen3-8b', { verbose: false })),
    rejection(connection.client.llm.load('qwen/qwen3-4b', { ttl: 3600, verbose: false })),
    rejection(
      connection.client.system.whenDisconnected().then(() => Promise.reject(new Error('gone'))),
    ),
  ];
  simulator.fault.hang({ endpoint: 'listLoaded' });
  outcomes.push(rejection(connection.client.embedding.listLoaded()));
  await Promise.all([
    simulator.seen('loadModel', 2),
    simulator.seen('listLoaded'),
    simulator.seen('alive'),
  ]);
  await simulator.stop();
  await simulator.stop();
  for (const error of await Promise.all(outcomes)) {
    expect(error.message).toMatch(/WebSocket connection closed|gone/);
  }
  expect(simulator.residents()).toEqual([]);
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  for (const [name, count] of openResources()) {
    expect([name, count <= (before.get(name) ?? 0)]).toEqual([name, true]);
  }
  await expect(simulator.restart()).rejects.toMatchObject({ code: 'STOPPED' });
});

test('a restart keeps the port and loses the residents', async () => {
  await using connected = await startWithClient();
  const { simulator, client } = connected;
  await client.llm.load('qwen/qwen3-4b', { verbose: false });
  const { port } = simulator;
  const disconnected = client.system.whenDisconnected();
  await simulator.seen('alive');
  await simulator.restart();
  await disconnected;
  expect(simulator.port).toBe(port);
  expect(simulator.residents()).toEqual([]);
  // The first call may still use the closed socket. After that the SDK connects again.
  await client.llm.listLoaded().catch(() => {});
  expect(await client.llm.listLoaded()).toEqual([]);
});

test('nothing answers while LM Studio is down, and stop ends a restart', async () => {
  const clock = manualClock();
  const simulator = await startSimulator({ clock });
  const restarting = simulator.restart({ downMs: 60_000 });
  await clock.advance(59_000);
  await expect(fetch(`${simulator.httpUrl}/lmstudio-greeting`)).rejects.toThrow('fetch failed');
  await clock.advance(1000);
  await restarting;
  expect((await fetch(`${simulator.httpUrl}/lmstudio-greeting`)).status).toBe(200);

  const never = simulator.restart({ downMs: 60_000 });
  await clock.advance(1000);
  await simulator.stop();
  await never;
  expect(clock.pending).toBe(0);
});

function openResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (/TCP|Timeout/.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
