/** Colours by meaning. Without colours, a word, a glyph or the position says the same. */
export interface Style {
  /** Whether the functions add colours. */
  readonly enabled: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly heading: (text: string) => string;
  /** Fits, healthy, done. */
  readonly good: (text: string) => string;
  /** Needs attention: close to a limit, estimated, not downloaded. */
  readonly caution: (text: string) => string;
  /** Does not fit, failed, over a limit. */
  readonly bad: (text: string) => string;
  /** Chosen or loaded by Mai. */
  readonly accent: (text: string) => string;
  /** Memory and CPU that other programs use. */
  readonly others: (text: string) => string;
}

// Only the sixteen basic colours, so that the theme of the terminal decides how they look.
const SGR = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

/** A style that adds SGR sequences where `enabled`, and otherwise returns texts unchanged. */
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

/**
 * Whether a stream gets colours. Checked in this order: the flag, FORCE_COLOR, NO_COLOR, TERM,
 * the TTY.
 */
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

/** Whether the terminal can show block glyphs. The Linux console and old Windows consoles cannot. */
export function wantsUnicode(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): boolean {
  if (platform === 'win32') {
    return Boolean(env['WT_SESSION'] ?? env['TERM_PROGRAM'] ?? env['ConEmuTask'] ?? env['TERM']);
  }
  if (env['TERM'] === 'linux' || env['TERM'] === 'dumb') return false;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value);
  // Containers often set no locale although their terminals are UTF-8.
  return locale === undefined || /utf-?8/i.test(locale);
}
