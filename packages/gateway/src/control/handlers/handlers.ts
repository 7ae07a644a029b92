import type { z } from 'zod';
import type { DeepReadonly } from '../answer-call.js';
import type { Scheduler } from '../../queue/scheduler.js';
import type { Clock } from '../../ports/clock.js';
import type { ControlPort, ControlWords } from '../../ports/control-port.js';
import type { FleetPort } from '../../ports/fleet-port.js';
import type { OperationName, OPERATIONS } from '../openapi/operations.js';
import type { MachineWatch } from '../watch/machine-watch.js';
import type { SwitchMark } from '../watch/switches.js';
import type { Readings } from './readings.js';
import type { Throughput } from './throughput.js';

/** The parts that the operations use. */
export interface HandlerParts {
  readonly machine: ControlPort;
  readonly words: ControlWords;
  /** Null where the machine is in no fleet. */
  readonly fleet: FleetPort | null;
  readonly clock: Clock;
  readonly watch: MachineWatch;
  readonly readings: Readings;
  readonly scheduler: Pick<Scheduler, 'state'>;
  readonly throughput: Throughput;
  readonly startedAtMs: number;
  /** The switches of the last 15 minutes, oldest first. */
  switches(): readonly SwitchMark[];
}

/** The operations that answer with JSON and need neither headers nor cookies. */
export type JsonOperationName = Exclude<OperationName, 'events' | 'session' | 'signIn' | 'signOut'>;

/** The answer of an operation, typed by its schema. */
export type AnswerOf<Name extends OperationName> = DeepReadonly<
  z.output<(typeof OPERATIONS)[Name]['answer']>
>;
