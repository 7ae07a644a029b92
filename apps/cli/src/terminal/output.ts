import { addFootprintTotal, limitRepeats, safeText, wrap } from '@mai/host';
import type { Io, OutputStream } from '../io.js';
import { createProgress, type Progress } from './progress.js';
import { createStyle, type Style, wantsColour, wantsUnicode } from './style.js';

/** Version of the JSON results. Increased when a field changes its meaning. */
const SCHEMA_VERSION = 1;

/** The global options that decide how a command writes. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noColour: boolean;
}

/** How a command writes: results to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean;
  /** Style of stdout. */
  readonly style: Style;
  /** Style of stderr. */
  readonly noteStyle: Style;
  readonly unicode: boolean;
  /** Columns for tables: the terminal's, or Infinity where stdout is not a terminal. */
  readonly tableWidth: number;
  /** Columns for text and bars: at most 100, because longer lines are hard to read. */
  readonly textWidth: number;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Prints a result on stdout. */
  readonly result: (text: string) => void;
  /** Prints one JSON value on stdout, with `schemaVersion` first. */
  readonly resultJson: (value: object) => void;
  /** The same on one line, for commands that print several values. */
  readonly lineJson: (value: object) => void;
  /** Prints a remark on stderr. Silent with --quiet. */
  readonly note: (text: string) => void;
  /** Prints a warning on stderr, even with --quiet. The same text at most once a minute. */
  readonly warn: (text: string) => void;
  /** Prints an error on stderr. */
  readonly fail: (text: string) => void;
  /** Starts a progress display on stderr. Silent with --quiet. */
  readonly progress: (label: string, totalBytes: number | null) => Progress;
}

const DEFAULT_WIDTH = 80;
const MAX_TEXT_WIDTH = 100;

/** Creates the output of one run. */
export function createOutput(io: Io, options: OutputOptions): Output {
  const style = createStyle(wantsColour(options.noColour, io.env, io.stdout.isTTY));
  const noteStyle = createStyle(wantsColour(options.noColour, io.env, io.stderr.isTTY));
  const unicode = wantsUnicode(io.env, io.platform);
  const say = (text: string) => {
    const safe = safeText(text, noteStyle.enabled);
    // Wrapped here, because a terminal would break lines inside words.
    const { columns } = io.stderr;
    io.stderr.write(`${columns === null ? safe : wrap(safe, columns).join('\n')}\n`);
  };
  const quiet: Progress = { update: () => undefined, clear: () => undefined };
  return {
    json: options.json,
    style,
    noteStyle,
    unicode,
    tableWidth: io.stdout.columns ?? columnsFrom(io.env) ?? Infinity,
    textWidth: Math.min(MAX_TEXT_WIDTH, io.stdout.columns ?? columnsFrom(io.env) ?? DEFAULT_WIDTH),
    stdout: io.stdout,
    stderr: io.stderr,
    result: (text) => {
      io.stdout.write(safeText(text, style.enabled));
    },
    resultJson: (value) => io.stdout.write(jsonText(value, 2)),
    lineJson: (value) => io.stdout.write(jsonText(value, 0)),
    note: (text) => {
      if (!options.quiet) say(text);
    },
    warn: limitRepeats((text) => {
      say(`${noteStyle.caution('warning:')} ${text}`);
    }, io.nowMs),
    fail: (text) => {
      say(`${noteStyle.bad('error:')} ${text.replaceAll(/\n(?!\n)/g, '\n  ')}`);
    },
    progress: (label, totalBytes) =>
      options.quiet
        ? quiet
        : createProgress({
            label: safeText(label, noteStyle.enabled),
            totalBytes,
            stream: io.stderr,
            style: noteStyle,
            unicode,
            nowMs: io.nowMs,
          }),
  };
}

function jsonText(value: object, indent: number): string {
  const versioned = { schemaVersion: SCHEMA_VERSION, ...value };
  return `${JSON.stringify(versioned, addFootprintTotal, indent)}\n`;
}

/** The output with the current width of its terminal, which can change while a live view runs. */
export function fitToWindow(output: Output): Output {
  const { columns } = output.stdout;
  if (columns === null) return output;
  return { ...output, tableWidth: columns, textWidth: Math.min(MAX_TEXT_WIDTH, columns) };
}

function columnsFrom(env: Io['env']): number | null {
  const columns = Number(env['COLUMNS']);
  return Number.isInteger(columns) && columns > 0 ? columns : null;
}
