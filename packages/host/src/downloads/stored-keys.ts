import { createHash } from 'node:crypto';
import type { ScannedModel } from '@mai/lmstudio-adapter';
import { isConfigurableModelKey } from '@mai/model-config';

/** A model that needs a key. */
export interface Keyless {
  readonly model: ScannedModel;
  readonly repository: string | null;
}

/**
 * A key for each model, in the given order. Each key occurs once.
 *
 * A model of a Hugging Face repository has the key `owner/repo`, or `owner/repo@quantization` where several files of
 * the repository are here. Every other model keeps the key that its store gave it. Where two models would have the
 * same key, the first keeps it. The other gets its quantization after its key and, where that is not enough, six
 * digits that depend only on the path of its file.
 */
export function keysOf(models: readonly Keyless[]): readonly string[] {
  const files = new Map<string, number>();
  for (const { repository } of models)
    if (repository !== null) files.set(repository, (files.get(repository) ?? 0) + 1);
  const taken = new Set<string>();
  return models.map(({ model, repository }) => {
    const quantization = model.quantization?.name.toLowerCase() ?? null;
    const wanted = repository ?? oneLine(model.modelKey);
    const quantized = quantization === null ? wanted : `${wanted}@${quantization}`;
    const first = repository !== null && (files.get(repository) ?? 0) > 1 ? quantized : wanted;
    const key =
      [first, quantized].find((one) => !taken.has(one)) ?? `${quantized}-${digitsOf(model)}`;
    taken.add(key);
    return key;
  });
}

/**
 * A key that a configuration can name and a person can type. A file name can have line breaks or invisible characters,
 * or begin with `chain:`. macOS writes `é` as two characters, and keyboards as one.
 */
function oneLine(key: string): string {
  const text = key.normalize('NFC').replace(/[\p{Cc}\p{Cf}\s]+/gu, '-');
  return isConfigurableModelKey(text) ? text : `-${text}`;
}

function digitsOf({ filePath }: ScannedModel): string {
  return createHash('sha256').update(filePath).digest('hex').slice(0, 6);
}
