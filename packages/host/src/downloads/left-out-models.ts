import { leftOutReason } from '@mai/lmstudio-adapter';
import type { EngineRefusal } from '@mai/selector';
import type { DownloadsReport } from './downloads-report.js';
import { otherEntryNote, unusableNote, withoutFolder } from './left-out-notes.js';

/** Why a downloaded model is not offered. */
export interface LeftOut {
  readonly refusal: EngineRefusal;
  /** A sentence about the model, with the next step. */
  readonly note: string;
  /** The same without the folder of the file, for clients on other machines. */
  readonly noteForClients: string;
}

/** The models that are downloaded but not offered, by their keys. */
export function leftOutByKey({
  unusable,
  otherEntries,
}: Pick<DownloadsReport, 'unusable' | 'otherEntries'>): ReadonlyMap<string, LeftOut> {
  const byKey = new Map<string, LeftOut>();
  for (const entry of otherEntries)
    if (entry.modelKey !== null) {
      const note = otherEntryNote(entry);
      byKey.set(entry.modelKey, {
        refusal: { code: 'OTHER_KIND', reason: leftOutReason(entry) },
        note,
        noteForClients: note,
      });
    }
  for (const file of unusable)
    if (file.modelKey !== null) {
      const named = withoutFolder(file);
      byKey.set(file.modelKey, {
        refusal: { code: file.code, reason: named.why },
        note: unusableNote(file),
        noteForClients: unusableNote(named),
      });
    }
  return byKey;
}
