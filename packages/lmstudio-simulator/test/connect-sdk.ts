import { LMStudioClient } from '@lmstudio/sdk';
import type { Simulator, SimulatorOptions } from '../src/index.js';
import { startSimulator } from '../src/index.js';

/** A client of the real SDK, with what the SDK would have printed. */
export interface SdkConnection extends AsyncDisposable {
  readonly client: LMStudioClient;
  readonly logged: readonly string[];
}

export function connectSdk(
  baseUrl: string,
  options: {
    readonly apiToken?: string;
    readonly clientIdentifier?: string;
    readonly clientPasskey?: string;
  } = {},
): SdkConnection {
  const logged: string[] = [];
  const note = (...messages: unknown[]): void => void logged.push(messages.map(String).join(' '));
  const logger = { debug: () => {}, info: note, warn: note, error: note };
  const client = new LMStudioClient({ baseUrl, logger, ...options });
  return {
    client,
    logged,
    async [Symbol.asyncDispose]() {
      // Disposing waits for ever for a call that is never answered; the simulator cuts such a call when
      // it stops, so nobody needs to wait here.
      void client[Symbol.asyncDispose]().catch(() => {});
      await Promise.resolve();
    },
  };
}

/** A simulator with a client of the real SDK connected to it. */
export interface Rig extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly client: LMStudioClient;
  readonly logged: readonly string[];
}

/** Loads take milliseconds, so that tests of outcomes do not wait. */
export async function startRig(options: SimulatorOptions = {}): Promise<Rig> {
  const simulator = await startSimulator({ speed: 1000, ...options });
  const connection = connectSdk(simulator.baseUrl);
  return {
    simulator,
    client: connection.client,
    logged: connection.logged,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await simulator.stop();
    },
  };
}

/** Resolves with what a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    // Not `instanceof`: errors of Node itself come from outside Jest's realm.
    return error as Error;
  }
  throw new Error('did not reject');
}

/** Resolves once a condition holds; the test's own timeout ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
