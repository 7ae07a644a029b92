// Judges models, for checks from outside. Reads a line of JSON for each model on stdin:
//   {"model", "huggingFace", "family", "releaseDate", "paramsB", "activeParamsB", "reasoning", "vision", "quantization", "architecture"}
// and prints {"general", "chat", "coding", "reasoning", "tools", "vision"} from 0 to 1 for each; null where a figure does not
// apply. --fallback ignores the published results of the model itself. Fields that are missing, null or of another type are not known.
// A number of parameters that is not known is taken from the name, else it is that of the median model of the family, of those with
// published results, or of all of them, and at least the active parameters. A line that is not a JSON object gives {"error"} with its number.
import { answerLines, numberOf } from '../yardstick/answer-lines.mjs';
import { loadSources } from './sources.mjs';

const {
  QUALITY_USES,
  familyOf,
  fullPrecisionQuality,
  derivedQuality,
  parseParameterCounts,
  publishedQuality,
  quantizationLoss,
} = await loadSources(
  'quality/model-facts.ts',
  'quality/comparable-name.ts',
  'quality/full-precision-quality.ts',
  'quality/parameter-counts.ts',
  'quality/published-quality.ts',
  'quality/quantization-loss.ts',
);
const qualityIn = process.argv.includes('--fallback') ? derivedQuality : fullPrecisionQuality;

await answerLines((given) =>
  Object.fromEntries(QUALITY_USES.map((use) => [use, figure(given, use)])),
);

function figure(given, use) {
  const names = [given.model, given.huggingFace].filter((name) => typeof name === 'string');
  const named = parseParameterCounts(names.join(' '));
  // The published results call the family of many models `other`, and other sources may use other words. The name may still tell a family.
  const family = isKnownFamily(given.family) ? given.family : familyOf(names.join(' '));
  const activeParameters = count(given.activeParamsB) ?? named.active;
  const parameters =
    count(given.paramsB) ?? named.all ?? Math.max(usualParameters(family), activeParameters ?? 0);
  const quality = qualityIn(
    {
      names,
      baseModels: [],
      family,
      releaseDate: text(given.releaseDate),
      architecture: text(given.architecture),
      parameters,
      reasoning: flag(given.reasoning),
      vision: flag(given.vision),
    },
    use,
  );
  if (quality === null) return null;
  const { quantization } = given;
  if (typeof quantization !== 'string' && typeof quantization !== 'number') return quality.quality;
  const loss = quantizationLoss({ family, parameters, activeParameters }, quantization);
  return quality.quality * (1 - (loss ?? 0));
}

function isKnownFamily(name) {
  return (
    typeof name === 'string' &&
    publishedQuality().models.some(({ family }) => family?.toLowerCase() === name.toLowerCase())
  );
}

function usualParameters(family) {
  const { models } = publishedQuality();
  const relatives = models.filter(
    (one) => family !== null && one.family?.toLowerCase() === family.toLowerCase(),
  );
  const sizes = (relatives.length > 0 ? relatives : models)
    .map(({ billions }) => billions)
    .sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] * 1e9;
}

function count(value) {
  const billions = numberOf(value);
  return billions !== null && billions > 0 ? billions * 1e9 : null;
}

function text(value) {
  return typeof value === 'string' ? value : null;
}

function flag(value) {
  return typeof value === 'boolean' ? value : null;
}
