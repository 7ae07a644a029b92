import { createServer } from 'node:http';
import { createAccess } from '../../src/access/create-access.js';
import { NO_KEYS, type KeyStore } from '../../src/access/keys/key-store.js';
import {
  createControl,
  type Control,
  type ControlParts,
} from '../../src/control/create-control.js';
import type { Clock } from '../../src/ports/clock.js';
import type { SchedulerState } from '../../src/queue/scheduler.js';
import { systemClock } from '../../src/ports/clock.js';
import { listenOn } from './serve-through.js';
import { createFakeMachine, WORDS, type FakeMachine } from '../fakes/fake-machine.js';

/** The control API on a plain server, in front of a machine that a test controls. */
export interface ControlWorld extends AsyncDisposable {
  readonly url: string;
  readonly machine: FakeMachine;
  readonly control: Control;
  readonly faults: readonly unknown[];
  readonly queue: { state: SchedulerState };
}

export async function serveControl(
  options: {
    readonly keys?: KeyStore;
    readonly allowOrigins?: readonly string[];
    readonly clock?: Clock;
    readonly parts?: Partial<Pick<ControlParts, 'machine' | 'words' | 'fleet'>>;
  } = {},
): Promise<ControlWorld> {
  const clock = options.clock ?? systemClock;
  const machine = createFakeMachine();
  const faults: unknown[] = [];
  const queue: { state: SchedulerState } = {
    state: {
      lanes: [
        {
          modelKey: 'test/small',
          instanceIdentifier: 'mai/test/small',
          running: 2,
          draining: false,
        },
      ],
      waiting: 1,
      oldestWaitMs: 120,
      loading: { modelKey: 'test/large', progressRatio: 0.5 },
    },
  };
  const control = createControl({
    machine: machine.port,
    words: WORDS,
    fleet: null,
    ...options.parts,
    access: createAccess({
      keys: options.keys ?? NO_KEYS,
      listenHost: '127.0.0.1',
      allowHosts: [],
      allowOrigins: options.allowOrigins ?? [],
      clock,
    }),
    scheduler: { state: () => queue.state },
    clock,
    onFault: (error) => faults.push(error),
  });
  const server = createServer((request, response) => void control.handle(request, response));
  const url = await listenOn(server);
  return {
    url,
    machine,
    control,
    faults,
    queue,
    [Symbol.asyncDispose]: async () => {
      await control[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
