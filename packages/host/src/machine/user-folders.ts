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
    const local = given(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local');
    const roaming = given(env['APPDATA']) ?? join(home, 'AppData', 'Roaming');
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
    config: join(given(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'mai'),
    data: join(given(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share'), 'mai'),
    cache: join(given(env['XDG_CACHE_HOME']) ?? join(home, '.cache'), 'mai'),
  };
}

/** An empty variable counts as unset. */
function given(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value;
}
