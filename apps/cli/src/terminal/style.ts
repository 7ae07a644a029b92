/** Colours by meaning. They repeat what words, glyphs or position already say, never replace it. */
export interface Style {
  readonly enabled: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly heading: (text: string) => string;
  /** Fits, healthy, done. */
  readonly good: (text: string) => string;
  /** Worth a look: close to a limit, derived, not downloaded. */
  readonly caution: (text: string) => string;
  /** Does not fit, failed, over a limit. */
  readonly bad: (text: string) => string;
  /** What Mai chose or holds. */
  readonly accent: (text: string) => string;
  /** What Mai did not cause and can't change: other programs' memory, injected pressure. */
  readonly others: (text: string) => string;
}

// The sixteen basic colours only, so that the user's own theme decides how they look.
const SGR = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

/** Paints with SGR sequences where `enabled`, leaves text alone where not. */
export function createStyle(enabled: boolean): Style {
  const paint = (...names: readonly (keyof typeof SGR)[]) =>
    enabled
      ? (text: string) =>
          text === ''
            ? text
            : names.reduce(
                (inner, name) => `\u001b[${SGR[name][0]}m${inner}\u001b[${SGR[name][1]}m`,
                text,
              )
      : (text: string) => text;
  return {
    enabled,
    bold: paint('bold'),
    dim: paint('dim'),
    heading: paint('bold'),
    good: paint('green'),
    caution: paint('yellow'),
    bad: paint('red'),
    accent: paint('cyan'),
    others: paint('magenta'),
  };
}

/** Whether a stream gets colours: the flag first, then FORCE_COLOR, NO_COLOR, TERM and the TTY. */
export function wantsColour(
  noColour: boolean,
  env: Readonly<Record<string, string | undefined>>,
  isTTY: boolean,
): boolean {
  if (noColour) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  const refused = env['NO_COLOR'];
  if (refused !== undefined && refused !== '') return false;
  return isTTY && env['TERM'] !== 'dumb';
}

/** Whether block glyphs can be shown: not on the Linux console, old Windows ones or another charset. */
export function wantsUnicode(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): boolean {
  if (platform === 'win32') {
    return Boolean(env['WT_SESSION'] ?? env['TERM_PROGRAM'] ?? env['ConEmuTask'] ?? env['TERM']);
  }
  if (env['TERM'] === 'linux' || env['TERM'] === 'dumb') return false;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value);
  // Containers often set no locale at all; their terminals are UTF-8 all the same.
  return locale === undefined || /utf-?8/i.test(locale);
}
