import { LMStudioClient } from '@lmstudio/sdk';
import type { Simulator, SimulatorOptions } from '../src/index.js';
import { startSimulator } from '../src/index.js';

/** A client of the real SDK, and the messages that the SDK logged. */
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
      // Does not wait for the dispose, which would wait forever for a call without an answer. The
      // simulator cuts such a call when it stops.
      void client[Symbol.asyncDispose]().catch(() => {});
      await Promise.resolve();
    },
  };
}

/** A simulator with a client of the real SDK connected to it. */
export interface ConnectedSimulator extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly client: LMStudioClient;
  readonly logged: readonly string[];
}

/** Starts a simulator with a connected client. Loads take milliseconds, so that tests do not wait. */
export async function startWithClient(options: SimulatorOptions = {}): Promise<ConnectedSimulator> {
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

/** Resolves with the error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    // `instanceof` would fail for errors of Node, which come from outside of Jest's realm.
    return error as Error;
  }
  throw new Error('did not reject');
}

/** Resolves when a condition holds. Otherwise the timeout of the test ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
