import type { Io } from './io.js';
import type { Output } from './terminal/output.js';

/** The options that every command takes; null means not given. */
export interface GlobalOptions {
  readonly url: string | null;
  readonly apiTokenFile: string | null;
  readonly configFile: string | null;
  readonly timeoutMs: number | null;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** The context of a command, besides its own arguments. */
export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  readonly globals: GlobalOptions;
  readonly signal: AbortSignal;
}
