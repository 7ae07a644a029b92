import path from 'node:path';

import { type SelectedEngine, toSelectedEngine } from './selected-engine.js';
import { type GpuSplit, toGpuSplit } from './gpu-split.js';
import { boolean, number, record, records, text, tokenCount } from '../json-fields.js';
import { readJson } from './local-files.js';

/** The user's hardware settings for one engine. */
export interface EngineHardware {
  /** E.g. `llama.cpp-win-x86_64-nvidia-cuda12-avx2`. */
  readonly engine: string;
  /** `null`: LM Studio's default. */
  readonly gpuSplit: GpuSplit | null;
  /** Whether only the GPU's own memory may be used; `null`: LM Studio's default. */
  readonly gpuStrictVramCap: boolean | null;
  /** Whether the KV cache lies on the GPU; `null`: LM Studio's default. */
  readonly offloadKvCacheToGpu: boolean | null;
}

/**
 * Settings in files of LM Studio's folder, which can be read while LM Studio is off. Their format
 * is not documented, and was taken from public reports (LM Studio 0.3.31 to 0.4.25). A value of
 * another form counts as not set.
 */
export interface LocalSettings {
  /**
   * Context length of a load that names none. `maximum`: as much as the model allows. `null`: the user has not set
   * a length, so LM Studio's own default applies.
   */
  readonly defaultContextLengthTokens: number | 'maximum' | null;
  /** The engine that is selected for each model format; empty where the user chose no engine. */
  readonly engines: readonly SelectedEngine[];
  /** The hardware settings; empty where the user changed no setting. */
  readonly hardware: readonly EngineHardware[];
}

/** `defaultContextLength` of settings.json, e.g. `{ "type": "custom", "value": 8192 }`. */
export function toDefaultContext(value: unknown): LocalSettings['defaultContextLengthTokens'] {
  const raw = record(value);
  if (raw?.['type'] === 'max') return 'maximum';
  if (raw?.['type'] !== 'custom') return null;
  // Some files have the number as a text.
  const tokens = number(raw['value']) ?? Number(text(raw['value']) ?? Number.NaN);
  return Number.isInteger(tokens) ? tokenCount(tokens) : null;
}

/** `.internal/backend-preferences-v1.json`: `[{ "model_format", "name", "version" }]`. */
export function readEnginePreferences(home: string): readonly SelectedEngine[] {
  const entries = records(readJson(path.join(home, '.internal', 'backend-preferences-v1.json')));
  return entries.flatMap((entry) => {
    const format = text(entry['model_format']);
    const name = text(entry['name']);
    const version = text(entry['version']);
    return format === null || name === null || version === null
      ? []
      : toSelectedEngine(format, name, version);
  });
}

/** `.internal/hardware-config.json`: `{ "json": [[ENGINE, { "fields": [{ "key", "value" }] }]] }`. */
export function readHardwareConfig(home: string): readonly EngineHardware[] {
  const file = record(readJson(path.join(home, '.internal', 'hardware-config.json')));
  const entries: unknown = file?.['json'];
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    const engine = Array.isArray(entry) ? text(entry[0]) : null;
    const config = Array.isArray(entry) ? record(entry[1]) : null;
    if (engine === null || config === null) return [];
    const fields = records(config['fields']);
    const value = (key: string): unknown => fields.find((field) => field['key'] === key)?.['value'];
    return {
      engine,
      gpuSplit: toGpuSplit(value('load.gpuSplitConfig')),
      gpuStrictVramCap: boolean(value('load.gpuStrictVramCap')),
      offloadKvCacheToGpu: boolean(value('llm.load.offloadKVCacheToGpu')),
    };
  });
}
