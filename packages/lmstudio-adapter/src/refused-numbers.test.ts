import { tmpdir } from 'node:os';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { connect, discover, type LMStudioClient, scanModelsFolder } from './index.js';

let simulator: Simulator;
let client: LMStudioClient;
beforeAll(async () => {
  simulator = await startSimulator();
  client = await connect({ baseUrl: simulator.baseUrl });
});
afterAll(async () => {
  await client.close();
  await simulator.stop();
});

const NO_TIME = [NaN, -1];

const CALLS: readonly (readonly [string, (timeoutMs: number) => Promise<unknown>])[] = [
  ['connect', (timeoutMs) => connect({ baseUrl: simulator.baseUrl, timeoutMs })],
  ['discover', (timeoutMs) => discover({ ports: [], timeoutMs })],
  ['discover at an address', (timeoutMs) => discover({ baseUrl: simulator.baseUrl, timeoutMs })],
  ['version', (timeoutMs) => client.version({ timeoutMs })],
  ['listDownloaded', (timeoutMs) => client.listDownloaded({ timeoutMs })],
  ['listResidents', (timeoutMs) => client.listResidents({ timeoutMs })],
  ['findModel', (timeoutMs) => client.findModel('a', { timeoutMs })],
  ['modelInfo', (timeoutMs) => client.modelInfo('a', { timeoutMs })],
  ['surveyHardware', (timeoutMs) => client.surveyHardware({ timeoutMs })],
  ['selectedEngines', (timeoutMs) => client.selectedEngines({ timeoutMs })],
  ['devices', (timeoutMs) => client.devices({ timeoutMs })],
  ['load', (timeoutMs) => client.load({ modelKey: 'a', timeoutMs })],
  ['unload', (timeoutMs) => client.unload('a', { timeoutMs })],
  ['generate', (timeoutMs) => client.generate({ instanceIdentifier: 'a', prompt: '', timeoutMs })],
];

test.each(CALLS)('%s rejects a deadline that is no time', async (_, call) => {
  for (const ms of NO_TIME) {
    await expect(call(ms)).rejects.toThrow(
      new RangeError(`timeoutMs must be a number of at least 0, not ${ms}.`),
    );
  }
});

test('a deadline may be infinite', async () => {
  expect(await client.version({ timeoutMs: Infinity })).toEqual(client.connectedVersion);
});

test.each([NaN, 0, -1, 1.5, 65_536, Infinity])('%d is no port', async (port) => {
  await expect(discover({ ports: [port] })).rejects.toThrow(
    new RangeError(`A port must be a whole number from 1 to 65535, not ${port}.`),
  );
});

test.each([NaN, 0, -1, 1.5, Infinity])('a generation has no %d tokens', async (maxTokens) => {
  const request = { instanceIdentifier: 'a', prompt: '', maxTokens };
  await expect(client.generate(request)).rejects.toThrow(RangeError);
});

test.each([NaN, -0.1])('a generation has no temperature of %d', async (temperature) => {
  const request = { instanceIdentifier: 'a', prompt: '', temperature };
  await expect(client.generate(request)).rejects.toThrow(RangeError);
});

test.each([NaN, 0, -1, 1e9, Infinity])('a warm-up has no %d tokens', async (promptTokens) => {
  await expect(client.warmUp('a', { promptTokens })).rejects.toThrow(RangeError);
});

test.each([NaN, 0, -1])('a scan is not bounded by %d', async (bound) => {
  await expect(scanModelsFolder(tmpdir(), { maxDepth: bound })).rejects.toThrow(RangeError);
  await expect(scanModelsFolder(tmpdir(), { maxEntries: bound })).rejects.toThrow(RangeError);
});
