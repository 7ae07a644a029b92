import { homedir } from 'node:os';
import { systemClock, type Clock, type MonitorPort } from '@mai/autopilot';
import type { ModelConfigFile } from '@mai/model-config';
import { userFolders, type HostFolders } from './machine/user-folders.js';

/** How a host is opened. Everything has a default. */
export interface HostOptions {
  /**
   * Address of LM Studio: http, https, ws, wss or host:port. `MAI_LMSTUDIO_URL` of the environment unless given;
   * without both it is looked for on this machine.
   */
  readonly url?: string | undefined;
  /** LM Studio's API token; `LM_API_TOKEN` of the environment unless given. Empty: no token. */
  readonly apiToken?: string | undefined;
  /** A file with the token, in place of `apiToken`. Relative to `cwd`. */
  readonly apiTokenFile?: string | undefined;
  /** The configuration file; looked for in the usual places unless given. Relative to `cwd`. */
  readonly configFile?: string | undefined;
  /** A configuration written in TypeScript, in place of a file. */
  readonly config?: ModelConfigFile | undefined;
  /** Where measurements, journals and decision logs are kept; this user's data folder unless given. */
  readonly dataFolder?: string | undefined;
  /** Where the headers of model files are kept; this user's cache folder unless given. */
  readonly cacheFolder?: string | undefined;
  /** Where this user's `models.yaml` is looked for; this user's configuration folder unless given. */
  readonly configFolder?: string | undefined;
  /** This user's home folder, in which LM Studio keeps its files; `os.homedir()` unless given. */
  readonly userHome?: string | undefined;
  /** The environment; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The folder of relative paths; `process.cwd()` unless given. */
  readonly cwd?: string | undefined;
  /** `process.platform` unless given. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Deadline of connecting, of each call and of a load, in milliseconds; LM Studio's own unless given. */
  readonly timeoutMs?: number | undefined;
  /** Reads memory in place of this machine's monitor: for demos and tests. */
  readonly monitor?: MonitorPort | undefined;
  /** The system's clock unless given. */
  readonly clock?: Clock | undefined;
  /** Called with warnings that are not errors; `process.emitWarning` unless given. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Cancels every call of the host when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a host with their defaults filled in. */
export interface HostContext {
  /** Null: searched for on this machine. */
  readonly url: string | null;
  /** Undefined: `LM_API_TOKEN` of the environment. */
  readonly apiToken: string | undefined;
  readonly configFile: string | null;
  readonly config: ModelConfigFile | null;
  readonly folders: HostFolders;
  readonly userHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly timeoutMs: number | null;
  /** Null: this machine's monitor. */
  readonly monitor: MonitorPort | null;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** The signal of the host, or of one of its calls. */
  readonly signal: AbortSignal;
}

/** A variable of the environment; null where it is unset or empty. */
function givenIn(env: HostContext['env'], name: string): string | null {
  const value = env[name];
  return value === undefined || value === '' ? null : value;
}

/** Fills in the defaults. */
export function contextOf(options: HostOptions, signal: AbortSignal): HostContext {
  const { env = process.env, platform = process.platform, userHome = homedir() } = options;
  const { configFolder, dataFolder, cacheFolder } = options;
  const usual = userFolders(platform, userHome, env);
  return {
    url: options.url ?? givenIn(env, 'MAI_LMSTUDIO_URL'),
    apiToken: options.apiToken,
    configFile: options.configFile ?? null,
    config: options.config ?? null,
    folders: {
      config: configFolder ?? usual.config,
      data: dataFolder ?? usual.data,
      cache: cacheFolder ?? usual.cache,
    },
    userHome,
    env,
    cwd: options.cwd ?? process.cwd(),
    platform,
    timeoutMs: options.timeoutMs ?? null,
    monitor: options.monitor ?? null,
    clock: options.clock ?? systemClock,
    warn: options.warn ?? ((message) => process.emitWarning(message, 'MaiWarning')),
    signal,
  };
}
