import { userFolders } from './user-folders.js';

const WINDOWS_HOME = 'C:\\Users\\ada';

test.each([
  [
    'linux',
    '/home/ada',
    {},
    ['/home/ada/.config/mai', '/home/ada/.local/share/mai', '/home/ada/.cache/mai'],
  ],
  [
    'linux',
    '/home/ada',
    { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d', XDG_CACHE_HOME: '/k' },
    ['/c/mai', '/d/mai', '/k/mai'],
  ],
  [
    'linux',
    '/home/ada',
    { XDG_CONFIG_HOME: '' },
    ['/home/ada/.config/mai', '/home/ada/.local/share/mai', '/home/ada/.cache/mai'],
  ],
  [
    'darwin',
    '/Users/ada',
    {},
    [
      '/Users/ada/Library/Preferences/mai',
      '/Users/ada/Library/Application Support/mai',
      '/Users/ada/Library/Caches/mai',
    ],
  ],
  [
    'win32',
    WINDOWS_HOME,
    {},
    [
      `${WINDOWS_HOME}\\AppData\\Roaming\\mai\\Config`,
      `${WINDOWS_HOME}\\AppData\\Local\\mai\\Data`,
      `${WINDOWS_HOME}\\AppData\\Local\\mai\\Cache`,
    ],
  ],
  [
    'win32',
    WINDOWS_HOME,
    { APPDATA: 'R:', LOCALAPPDATA: 'L:' },
    ['R:\\mai\\Config', 'L:\\mai\\Data', 'L:\\mai\\Cache'],
  ],
] as const)('on %s in %s with %j', (platform, home, env, [config, data, cache]) => {
  expect(userFolders(platform, home, env)).toEqual({ config, data, cache });
});
