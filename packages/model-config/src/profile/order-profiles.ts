import { TIERS } from '@mai/memory-ledger';
import type { QualityUse } from '../quality/model-facts.js';
import { qualityOf } from '../quality/quality-of.js';
import type { JudgeQuality } from '../quality/remember-qualities.js';
import type { ModelProfile } from './merge-with-downloaded.js';

type Order = (a: ModelProfile, b: ModelProfile) => number;

/** Orders profiles by tier: large, medium, small. */
export const byTier: Order = (a, b) => TIERS.indexOf(b.tier) - TIERS.indexOf(a.tier);

/** Orders profiles by a figure, the highest first. Profiles without a figure come last. */
export function byFigure(figureOf: (profile: ModelProfile) => number | null): Order {
  return (a, b) => {
    const [figure, other] = [figureOf(a), figureOf(b)];
    if (figure === null || other === null) return Number(figure === null) - Number(other === null);
    return other - figure;
  };
}

// A decision resolves its chain again each time, and deriving a quality takes 0.1 ms.
const qualities = new WeakMap<ModelProfile, Map<QualityUse, number | null>>();

/** The quality of a model as it is downloaded, without the facts of the file's header; `null`: not known. */
export function qualityOfProfile(
  profile: ModelProfile,
  use: QualityUse,
  judge: JudgeQuality = qualityOf,
): number | null {
  const known = qualities.get(profile) ?? new Map<QualityUse, number | null>();
  qualities.set(profile, known);
  const kept = known.get(use);
  if (kept !== undefined) return kept;
  const facts = {
    ...profile,
    fileName: null,
    baseModels: [],
    parameters: null,
    activeParameters: null,
  };
  const quality = judge(facts, use)?.quality ?? null;
  known.set(use, quality);
  return quality;
}
