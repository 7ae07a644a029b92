import path from 'node:path';

/** The folders in which Mai keeps the files of one user. */
export interface HostFolders {
  readonly config: string;
  readonly data: string;
  readonly cache: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The platform's standard folders: XDG on Linux, `~/Library` on macOS, AppData on Windows. */
export function userFolders(
  platform: NodeJS.Platform,
  home: string,
  env: Environment,
): HostFolders {
  if (platform === 'win32') {
    const join = (...parts: string[]) => path.win32.join(...parts);
    const local = givenIn(env, 'LOCALAPPDATA') ?? join(home, 'AppData', 'Local');
    const roaming = givenIn(env, 'APPDATA') ?? join(home, 'AppData', 'Roaming');
    return {
      config: join(roaming, 'mai', 'Config'),
      data: join(local, 'mai', 'Data'),
      cache: join(local, 'mai', 'Cache'),
    };
  }
  const join = (...parts: string[]) => path.posix.join(...parts);
  if (platform === 'darwin') {
    const library = join(home, 'Library');
    return {
      config: join(library, 'Preferences', 'mai'),
      data: join(library, 'Application Support', 'mai'),
      cache: join(library, 'Caches', 'mai'),
    };
  }
  // https://specifications.freedesktop.org/basedir-spec/latest/
  return {
    config: join(givenIn(env, 'XDG_CONFIG_HOME') ?? join(home, '.config'), 'mai'),
    data: join(givenIn(env, 'XDG_DATA_HOME') ?? join(home, '.local', 'share'), 'mai'),
    cache: join(givenIn(env, 'XDG_CACHE_HOME') ?? join(home, '.cache'), 'mai'),
  };
}

/** A variable of the environment; null where it is unset or empty. */
export function givenIn(env: Environment, name: string): string | null {
  const value = env[name];
  return value === undefined || value === '' ? null : value;
}
