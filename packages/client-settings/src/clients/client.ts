import path from 'node:path';
import type { FormatName } from '../formats/format.js';
import type { SettingPath, Value } from '../formats/value.js';
import type { GatewayAccess } from '../gateway-access.js';
import type { ProbeRequest } from '../probe/probe-request.js';

/** The parts of a machine that decide where a client keeps its settings. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A setting that points a client at the gateway. */
export interface Setting {
  readonly path: SettingPath;
  readonly value: Value;
  /** The file needs this setting, whatever its value: a present value stays, and `undo` leaves it in an edited file. */
  readonly required?: true;
}

/** The settings file of a client. */
export interface SettingsFile {
  readonly format: FormatName;
  /** Places of the file. The first that exists is used, else the last. */
  readonly places: (machine: Machine) => readonly string[];
  readonly settings: (access: GatewayAccess) => readonly Setting[];
  /** Where the address of the gateway stands. */
  readonly address: SettingPath;
  /** A file that the client no longer reads once the settings file exists. */
  readonly hides?: (machine: Machine) => string;
}

/** Names of the clients. */
export type ClientName =
  | 'claude-code'
  | 'codex'
  | 'zed'
  | 'cline'
  | 'continue'
  | 'open-webui'
  | 'aider'
  | 'opencode'
  | 'cursor';

/** A client of the gateway. */
export interface Client {
  readonly name: ClientName;
  readonly title: string;
  /** Null: another program cannot write the settings. */
  readonly file: SettingsFile | null;
  /** Environment variables that the client reads. */
  readonly environment: (access: GatewayAccess) => Readonly<Record<string, string>>;
  /** The steps that a person takes, each a sentence. `file`: the settings file; null where the client has none. */
  readonly steps: (access: GatewayAccess, file: string | null) => readonly string[];
  /** Files and folders that exist where the client is installed. A last name may end with `*`. */
  readonly traces: (machine: Machine) => readonly string[];
  /** Programs on the PATH of a machine that has the client. */
  readonly programs: readonly string[];
  /** The requests that the client sends. */
  readonly requests: (access: GatewayAccess) => readonly ProbeRequest[];
}

/** Joins a path with the separator of the machine's platform. */
export function joinPath({ platform }: Machine, ...parts: readonly string[]): string {
  return platform === 'win32' ? path.win32.join(...parts) : path.posix.join(...parts);
}

/** The folder that an environment variable names. Where it is not set: `fallback`, a path below the home folder. */
export function folderFrom(
  machine: Machine,
  variable: string,
  fallback: readonly string[],
): string {
  const named = machine.env[variable];
  if (named !== undefined && named !== '') return named;
  return joinPath(machine, machine.homeFolder, ...fallback);
}

/**
 * The context window that clients assume before they shorten a conversation. Clients assume 200,000 tokens and more for a model
 * that they do not know, and few machines have memory for that. The gateway loads a longer context only when a conversation needs
 * it. The figure is not lower, because the first request of an agent has up to 25,000 tokens.
 */
export const CONTEXT_WINDOW_TOKENS = 65_536;
