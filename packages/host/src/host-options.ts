import { homedir } from 'node:os';
import path from 'node:path';
import { systemClock, type Clock, type MonitorPort } from '@mai/autopilot';
import type { UnconfirmedLoad } from '@mai/lmstudio-adapter';
import type { ModelConfigFile } from '@mai/model-config';
import type { RuntimeName } from './runtime/runtime-client.js';
import { givenIn, userFolders, type HostFolders } from './files/user-folders.js';
import { limitRepeats } from './text/limit-repeats.js';

/** Options of `openHost`. Each has a default. */
export interface HostOptions {
  /**
   * Address of LM Studio: http, https, ws, wss or host:port. Default: the environment variable
   * `MAI_LMSTUDIO_URL`. Without either, the host searches this machine for LM Studio.
   */
  readonly url?: string | undefined;
  /**
   * What loads the models. Default: LM Studio where `url` is given; or else `runtime` of the configuration; or else LM
   * Studio where it runs, and the embedded engine where it does not.
   */
  readonly runtime?: RuntimeName | undefined;
  /** Folders with GGUF files for the embedded engine, beside those of the configuration. Relative to `cwd`. */
  readonly modelFolders?: readonly string[] | undefined;
  /** LM Studio's API token. Default: the environment variable `LM_API_TOKEN`. Empty: no token. */
  readonly apiToken?: string | undefined;
  /** A file that contains the token. Replaces `apiToken`. Relative to `cwd`. */
  readonly apiTokenFile?: string | undefined;
  /** The configuration file. Default: the first existing file of `configPlaces()`. Relative to `cwd`. */
  readonly configFile?: string | undefined;
  /** A configuration as an object. Replaces the configuration file. */
  readonly config?: ModelConfigFile | undefined;
  /** Folder for measurements, journals and decision logs. Default: this user's data folder. */
  readonly dataFolder?: string | undefined;
  /** Folder for cached headers of model files. Default: this user's cache folder. */
  readonly cacheFolder?: string | undefined;
  /** Folder with this user's `models.yaml`. Default: this user's configuration folder. */
  readonly configFolder?: string | undefined;
  /** Home folder of this user; LM Studio keeps its files in it. Default: `os.homedir()`. */
  readonly userHome?: string | undefined;
  /** The environment variables. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Folder to which relative paths refer. Default: `process.cwd()`. */
  readonly cwd?: string | undefined;
  /** The operating system. Default: `process.platform`. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Deadline in milliseconds for the connection, each call and a load. Default: the deadline of each kind of call. */
  readonly timeoutMs?: number | undefined;
  /** Replaces this machine's resource monitor, for demos and tests. */
  readonly monitor?: MonitorPort | undefined;
  /** Default: the system's clock. */
  readonly clock?: Clock | undefined;
  /** Called with each warning. Default: `process.emitWarning`, with the same text at most once a minute. */
  readonly warn?: ((message: string) => void) | undefined;
  /**
   * Called when the host closes, for each cancelled load that the runtime has not confirmed to have ended. `warn` also
   * gets a sentence about this load. Default: nothing.
   */
  readonly onUnconfirmedLoad?: ((load: UnconfirmedLoad) => void) | undefined;
  /** Cancels every call of the host when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a host with their defaults filled in. */
export interface HostContext {
  /** Null: the host searches this machine for LM Studio. */
  readonly url: string | null;
  /** Null: the host chooses; see `HostOptions.runtime`. */
  readonly runtime: RuntimeName | null;
  /** Absolute paths. */
  readonly modelFolders: readonly string[];
  /** Undefined: the environment variable `LM_API_TOKEN`. */
  readonly apiToken: string | undefined;
  readonly configFile: string | null;
  readonly config: ModelConfigFile | null;
  readonly folders: HostFolders;
  readonly userHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly timeoutMs: number | null;
  /** Null: this machine's resource monitor. */
  readonly monitor: MonitorPort | null;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  readonly onUnconfirmedLoad: (load: UnconfirmedLoad) => void;
  /** Cancels the host, or one call of it. */
  readonly signal: AbortSignal;
}

/** Fills in the defaults. */
export function contextOf(options: HostOptions, signal: AbortSignal): HostContext {
  const { env = process.env, platform = process.platform, userHome = homedir() } = options;
  const { configFolder, dataFolder, cacheFolder, cwd = process.cwd() } = options;
  const { clock = systemClock } = options;
  const usual = userFolders(platform, userHome, env);
  return {
    url: options.url ?? givenIn(env, 'MAI_LMSTUDIO_URL'),
    runtime: options.runtime ?? null,
    modelFolders: (options.modelFolders ?? []).map((folder) => path.resolve(cwd, folder)),
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
    cwd,
    platform,
    timeoutMs: options.timeoutMs ?? null,
    monitor: options.monitor ?? null,
    clock,
    warn: options.warn ?? limitRepeats(emitWarning, () => clock.nowMs()),
    onUnconfirmedLoad: options.onUnconfirmedLoad ?? (() => undefined),
    signal,
  };
}

function emitWarning(message: string): void {
  process.emitWarning(message, 'MaiWarning');
}
