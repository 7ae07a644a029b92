import type { Io } from './io.js';
import type { Output } from './terminal/output.js';

/** The options of every command that its host takes; null means not given. */
export interface GlobalOptions {
  readonly url: string | null;
  readonly apiTokenFile: string | null;
  readonly configFile: string | null;
  readonly timeoutMs: number | null;
}

/** The context of a command, besides its own arguments. */
export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  readonly globals: GlobalOptions;
  readonly signal: AbortSignal;
}
