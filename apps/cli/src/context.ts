import type { HostOptions } from '@mai/host';
import type { Io } from './io.js';
import type { Output } from './terminal/output.js';

/** Everything that a command needs besides its own arguments. */
export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  /** The global options that a command passes to its host. */
  readonly globals: HostOptions;
  readonly signal: AbortSignal;
}
