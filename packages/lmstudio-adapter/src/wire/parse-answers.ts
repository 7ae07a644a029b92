import { boolean, type Json, number, record, records, text, texts } from '../json-fields.js';
import type {
  ModelKind,
  RawInstanceInfo,
  RawListing,
  RawModelInfo,
  RawProcessingState,
  RawSurvey,
  RawSurveyEngine,
} from './wire.js';

// The SDK refuses a whole answer when one field of one entry is not as it expects, for example a
// model of a kind that is newer than the SDK. These functions read what they can. Each returns
// `undefined` for an answer of another shape.

/** The models of a listing. An entry that cannot be used is named in `leftOut`. */
export function parseListing(answer: unknown): RawListing | undefined {
  if (!Array.isArray(answer)) return undefined;
  const models: RawModelInfo[] = [];
  const leftOut: RawListing['leftOut'][number][] = [];
  for (const entry of answer) {
    const raw = record(entry);
    const model = raw === null ? undefined : parseModel(raw);
    if (model !== undefined) models.push(model);
    else leftOut.push({ modelKey: text(raw?.['modelKey']), type: text(raw?.['type']) });
  }
  return { models, leftOut };
}

/** The entries that identify an instance. The SDK makes a handle of each entry. */
export function parseLoaded(answer: unknown): readonly Json[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  return records(answer).filter((entry) => text(entry['instanceReference']) !== null);
}

/** A message that begins or ends a load. The SDK does not read the model's fields in it. */
export function parseLoadMessage(message: unknown): Json | undefined {
  const raw = record(message);
  const info = record(raw?.['info']);
  if (raw === null || info === null) return undefined;
  const begins = raw['type'] === 'resolved';
  const ends = raw['type'] === 'success' && text(info['instanceReference']) !== null;
  return begins || ends ? raw : undefined;
}

/**
 * One loaded instance. Its namespace says its kind, so a type that is newer than this package is
 * accepted. The identifier replaces a model key that is missing.
 */
export function parseInstance(answer: unknown, type: ModelKind): RawInstanceInfo | undefined {
  const raw = record(answer);
  const identifier = text(raw?.['identifier']);
  const instanceReference = text(raw?.['instanceReference']);
  const model =
    raw === null
      ? undefined
      : parseModel({ ...raw, type, modelKey: text(raw['modelKey']) ?? identifier });
  if (raw === null || model === undefined || identifier === null || instanceReference === null) {
    return undefined;
  }
  return {
    ...model,
    identifier,
    instanceReference,
    ttlMs: number(raw['ttlMs']),
    lastUsedTime: number(raw['lastUsedTime']),
    contextLength: number(raw['contextLength']),
  };
}

/** An entry of the list of loaded models. The instance reference replaces an identifier that is missing. */
export function parseLoadedEntry(entry: unknown, type: ModelKind): RawInstanceInfo | undefined {
  const raw = record(entry);
  if (raw === null) return undefined;
  return parseInstance(
    { ...raw, identifier: text(raw['identifier']) ?? raw['instanceReference'] },
    type,
  );
}

/** The activity of an instance. Accepts an activity that is newer than the SDK. */
export function parseState(answer: unknown): RawProcessingState | undefined {
  const raw = record(answer);
  const status = text(raw?.['status']);
  const queued = number(raw?.['queued']);
  return status === null || queued === null ? undefined : { status, queued };
}

/** The hardware survey. */
export function parseSurvey(answer: unknown): RawSurvey | undefined {
  const raw = record(answer);
  const status = text(raw?.['status']);
  if (raw === null || status === null || !Array.isArray(raw['engines'])) return undefined;
  return { status, engines: records(raw['engines']).map(parseEngine) };
}

function parseModel(raw: Json): RawModelInfo | undefined {
  const type = kindOf(raw['type']);
  const modelKey = text(raw['modelKey']);
  if (type === null || modelKey === null) return undefined;
  const quantization = record(raw['quantization']);
  const quantizationName = text(quantization?.['name']);
  return {
    type,
    modelKey,
    format: text(raw['format']) ?? 'gguf',
    displayName: text(raw['displayName']) ?? modelKey,
    publisher: text(raw['publisher']),
    path: text(raw['path']),
    indexedModelIdentifier: text(raw['indexedModelIdentifier']),
    sizeBytes: Math.max(0, number(raw['sizeBytes']) ?? 0),
    deviceIdentifier: text(raw['deviceIdentifier']),
    paramsString: text(raw['paramsString']),
    architecture: text(raw['architecture']),
    quantization:
      quantizationName === null
        ? null
        : { name: quantizationName, bits: number(quantization?.['bits']) },
    variants: texts(raw['variants']),
    selectedVariant: text(raw['selectedVariant']),
    maxContextLength: number(raw['maxContextLength']),
    vision: boolean(raw['vision']) ?? false,
    trainedForToolUse: boolean(raw['trainedForToolUse']) ?? false,
  };
}

function kindOf(type: unknown): ModelKind | null {
  return type === 'llm' || type === 'embedding' ? type : null;
}

function parseEngine(raw: Json): RawSurveyEngine {
  const survey = record(raw['hardwareSurvey']);
  const gpus = record(survey?.['gpuSurveyResult']);
  const cpu = record(survey?.['cpuSurveyResult']);
  const cpuInfo = record(cpu?.['cpuInfo']);
  const memory = record(raw['memoryInfo']);
  return {
    name: text(raw['name']) ?? 'unknown',
    version: text(raw['version']) ?? 'unknown',
    engine: text(raw['engine']) ?? 'unknown',
    compatibility: outcome(raw['compatibility'], 'status'),
    gpuResult: outcome(gpus?.['result'], 'code'),
    gpus: records(gpus?.['gpuInfo']).map((gpu) => ({
      deviceId: number(gpu['deviceId']) ?? 0,
      name: text(gpu['name']) ?? '',
      integrationType: text(gpu['integrationType']) ?? 'unknown',
      detectionPlatform: text(gpu['detectionPlatform']) ?? 'unknown',
      dedicatedMemoryCapacityBytes: number(gpu['dedicatedMemoryCapacityBytes']) ?? 0,
      totalMemoryCapacityBytes: number(gpu['totalMemoryCapacityBytes']) ?? 0,
    })),
    cpuResult: outcome(cpu?.['result'], 'code'),
    cpu:
      cpuInfo === null
        ? null
        : {
            name: text(cpuInfo['name']),
            architecture: text(cpuInfo['architecture']) ?? 'unknown',
            instructionSets: texts(cpuInfo['supportedInstructionSetExtensions']),
          },
    ramCapacity: number(memory?.['ramCapacity']) ?? 0,
    vramCapacity: number(memory?.['vramCapacity']) ?? 0,
  };
}

function outcome(value: unknown, key: 'code' | 'status'): RawSurveyEngine['gpuResult'] {
  const raw = record(value);
  return { code: text(raw?.[key]) ?? 'unknown', message: text(raw?.['message']) };
}
