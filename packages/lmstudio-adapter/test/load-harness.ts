import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';

import { connect, type LMStudioClient } from '../src/index.js';
import { handlesBackTo, openHandles } from './open-handles.js';

/** Two LLMs of the simulator's default world. */
export const KEY = 'qwen/qwen3-4b';
export const OTHER = 'qwen/qwen3-1.7b';

/** Each test of the file fails if it leaves an open handle or an unhandled rejection behind. */
export function requireCleanExit(): void {
  let before = openHandles();
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));
  beforeEach(() => {
    before = openHandles();
  });
  afterEach(async () => {
    expect(await handlesBackTo(before)).toEqual({});
    expect(unhandled).toEqual([]);
  });
}

/** Runs a test with a client of a simulator that is fifty times as fast as LM Studio. */
export async function withClient(
  run: (client: LMStudioClient, simulator: Simulator) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  await using simulator = await startSimulator({ speed: 50, ...options });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await run(client, simulator);
}

/** The rejection of a promise that must not be fulfilled. */
export const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error,
  );
