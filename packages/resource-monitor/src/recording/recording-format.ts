import { isObject } from '../is-object.js';
import type { TimedSnapshot } from '../sampling/settle-detector.js';

const FORMAT = 'mai-resource-recording';
const VERSION = 1;

/** The first line of a recording: format and version. */
export function encodeHeader(): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`;
}

/** The line of one sample. `atMs` is monotonic and counts from the start of the recording. */
export function encodeSample({ atMs, snapshot }: TimedSnapshot): string {
  return `${JSON.stringify({ atMs: Math.round(atMs), snapshot })}\n`;
}

/** Whether a line is the first line of a recording, of any version. */
export function isHeader(line: string): boolean {
  return parseObject(line.trimEnd())?.['format'] === FORMAT;
}

/** The samples of a recording, or its first problem with the line number. */
export type Decoded =
  | { readonly samples: readonly TimedSnapshot[] }
  | { readonly problem: string; readonly line: number };

/**
 * Reads a whole recording. An incomplete last line is ignored, because it comes from a recording process that
 * was killed.
 */
export function decodeRecording(text: string): Decoded {
  const lines = text.split('\n');
  const cutOff = lines.pop() !== '';
  if (cutOff) lines.push('');
  const header = parseObject(lines[0] ?? '');
  if (header === null || !isHeader(lines[0] ?? ''))
    return { problem: 'the file is not a recording', line: 1 };
  if (header['version'] !== VERSION) {
    return { problem: `the version is ${String(header['version'])}, not ${VERSION}`, line: 1 };
  }
  const samples: TimedSnapshot[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const sample = toSample(parseObject(line));
    if (sample === null) return { problem: 'the line is not a sample', line: index + 1 };
    if (sample.atMs < (samples.at(-1)?.atMs ?? 0)) {
      return { problem: 'the sample is older than the sample before it', line: index + 1 };
    }
    samples.push(sample);
  }
  return samples.length === 0
    ? { problem: 'the recording has no sample', line: lines.length }
    : { samples };
}

function toSample(value: Readonly<Record<string, unknown>> | null): TimedSnapshot | null {
  if (typeof value?.['atMs'] !== 'number') return null;
  const { atMs, snapshot } = value;
  return isSnapshot(snapshot) ? { atMs, snapshot } : null;
}

type Snapshot = TimedSnapshot['snapshot'];

/** Checks the fields that a replay reads: those for history, trends and limits. */
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
