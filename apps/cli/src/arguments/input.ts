import { didYouMean, parseDurationMs } from '@mai/host';
import { UsageError } from '../usage-error.js';

/** The arguments and options of one command. A malformed value throws a `UsageError`. */
export class Input {
  constructor(
    readonly positionals: readonly string[],
    private readonly options: ReadonlyMap<string, string | true>,
  ) {}

  /** Whether an option is given. */
  has(name: string): boolean {
    return this.options.has(name);
  }

  /** The value of an option; `null` where it is absent. */
  text(name: string): string | null {
    const value = this.options.get(name);
    return typeof value === 'string' ? value : null;
  }

  /** The value of an option with fixed choices, already checked; null where the option is absent. */
  choice<Word extends string>(name: string, known: readonly Word[]): Word | null {
    const text = this.text(name);
    return known.find((word) => word === text) ?? null;
  }

  /** A comma-separated list; null where the option is absent. */
  list(name: string): readonly string[] | null {
    const items = this.text(name)
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    if (items === undefined) return null;
    if (items.length === 0) {
      throw new UsageError(`--${name} needs at least one value, separated by commas.`);
    }
    return items;
  }

  /** A comma-separated list of known words, sorted as in `known`; `null` where the option is absent. */
  listOf<Word extends string>(name: string, known: readonly Word[]): readonly Word[] | null {
    const items = this.list(name);
    const unknown = items?.find((item) => !known.some((word) => word === item));
    if (unknown !== undefined) {
      const meant = didYouMean(unknown, known);
      throw new UsageError(
        `--${name} takes one or more of ${known.join(', ')}, not ${JSON.stringify(unknown)}.${meant === null ? '' : ` Did you mean ${meant}?`}`,
      );
    }
    return items === null ? null : known.filter((word) => items.includes(word));
  }

  /** A whole number from `minimum` to `maximum`; `null` where the option is absent. */
  integer(name: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= minimum && value <= maximum) return value;
    const range =
      maximum === Number.MAX_SAFE_INTEGER
        ? `of at least ${minimum}`
        : `from ${minimum} to ${maximum}`;
    throw new UsageError(`--${name} takes a whole number ${range}, not ${JSON.stringify(text)}.`);
  }

  /** The number of a TCP port; `null` where the option is absent. */
  port(name: string, minimum: 0 | 1): number | null {
    return this.integer(name, minimum, 65_535);
  }

  /** `on` or `off`; `null` where the option is absent. */
  onOff(name: string): boolean | null {
    const text = this.text(name);
    return text === null ? null : text === 'on';
  }

  /** A duration above 0 in milliseconds; `null` where the option is absent. */
  durationMs(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const durationMs = parseDurationMs(text);
    if (durationMs === null || durationMs <= 0) {
      throw new UsageError(
        `--${name} takes a duration such as 500ms, 30s, 10m or 1h, not ${JSON.stringify(text)}.`,
      );
    }
    return durationMs;
  }
}
