import type { TimedSnapshot } from '../sampling/wait-until-settled.js';

const FORMAT = 'mai-resource-recording';
const VERSION = 1;

/** The first line: what this file is. */
export function encodeHeader(): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`;
}

/** One sample; `atMs` counts from the start of the recording, on a clock that only grows. */
export function encodeSample({ atMs, snapshot }: TimedSnapshot): string {
  return `${JSON.stringify({ atMs: Math.round(atMs), snapshot })}\n`;
}

/** Whether a line is the first of a recording, of whatever version. */
export function isHeader(line: string): boolean {
  return parseObject(line.trimEnd())?.['format'] === FORMAT;
}

/** The samples of a recording, or what is wrong with it, with the line that is. */
export type Decoded =
  | { readonly samples: readonly TimedSnapshot[] }
  | { readonly problem: string; readonly line: number };

/**
 * Reads a whole recording. A last line that was cut off is left out: that is how a recording ends
 * whose process was killed.
 */
export function decodeRecording(text: string): Decoded {
  const lines = text.split('\n');
  const cutOff = lines.pop() !== '';
  if (cutOff) lines.push('');
  const header = parseObject(lines[0] ?? '');
  if (header === null || !isHeader(lines[0] ?? ''))
    return { problem: 'this is no recording', line: 1 };
  if (header['version'] !== VERSION) {
    return { problem: `its version is ${String(header['version'])}, not ${VERSION}`, line: 1 };
  }
  const samples: TimedSnapshot[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const sample = toSample(parseObject(line));
    if (sample === null) return { problem: 'this line is no sample', line: index + 1 };
    if (sample.atMs < (samples.at(-1)?.atMs ?? 0)) {
      return { problem: 'this sample is older than the one before', line: index + 1 };
    }
    samples.push(sample);
  }
  return samples.length === 0 ? { problem: 'it holds no sample', line: lines.length } : { samples };
}

function toSample(value: Readonly<Record<string, unknown>> | null): TimedSnapshot | null {
  if (typeof value?.['atMs'] !== 'number') return null;
  const { atMs, snapshot } = value;
  return isSnapshot(snapshot) ? { atMs, snapshot } : null;
}

type Snapshot = TimedSnapshot['snapshot'];

/** As far as a replay needs it to be one: what history, trends and judgements read. */
function isSnapshot(value: unknown): value is Snapshot {
  if (!isObject(value)) return false;
  const { timestampMs, ram, swap, cpu, gpus } = value;
  return (
    typeof timestampMs === 'number' &&
    isObject(ram) &&
    typeof ram['totalBytes'] === 'number' &&
    isNumberOrNull(ram['availableBytes']) &&
    isObject(swap) &&
    isNumberOrNull(swap['totalBytes']) &&
    isNumberOrNull(swap['freeBytes']) &&
    isObject(cpu) &&
    isNumberOrNull(cpu['utilizationRatio']) &&
    Array.isArray(gpus) &&
    gpus.every(isGpu)
  );
}

function isGpu(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['deviceKey'] === 'string' &&
    isNumberOrNull(value['totalBytes']) &&
    isNumberOrNull(value['usedBytes']) &&
    isNumberOrNull(value['availableBytes']) &&
    isNumberOrNull(value['readAtMs'])
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
