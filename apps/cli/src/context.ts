import type { RuntimeName } from '@mai/host';
import type { Io } from './io.js';
import type { Output } from './terminal/output.js';

/** The global options that a command passes to its host. `null`: not given. */
export interface GlobalOptions {
  readonly url: string | null;
  readonly apiTokenFile: string | null;
  readonly configFile: string | null;
  readonly runtime: RuntimeName | null;
  /** Folders with GGUF files. */
  readonly modelFolders: readonly string[];
  readonly timeoutMs: number | null;
}

/** Everything that a command needs besides its own arguments. */
export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  readonly globals: GlobalOptions;
  readonly signal: AbortSignal;
}
