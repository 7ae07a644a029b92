import type { EstimateReport, EstimateSettings } from '@mai/memory-estimator';
import { estimateReport, estimateReportFromFileSize } from '@mai/memory-estimator';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import { answerLines } from '../estimate/answer-lines.js';
import { checkSettings } from '../estimate/check-settings.js';
import { decideHere } from '../estimate/fits-here.js';
import { otherSources } from '../estimate/other-sources.js';
import type { KnownModel } from '../estimate/open-model.js';
import { openModel } from '../estimate/open-model.js';
import { settingsFromInput } from '../estimate/settings-from-input.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';
import { renderEstimate } from '../views/estimate/estimate-view.js';

/** `mai estimate KEY-OR-FILE`, or `--stdin` for many. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const [name] = input.positionals;
  if (input.has('measure')) return (await import('./measure.js')).run(context, input);
  if (input.has('stdin')) {
    if (name !== undefined) {
      throw new UsageError(`--stdin reads the files from its lines; leave ${name} out.`);
    }
    if (Object.values(settingsFromInput(input)).some((value) => value !== null)) {
      throw new UsageError('--stdin reads the settings from its lines; leave other options out.');
    }
    await answerLines(context);
    return EXIT.success;
  }
  if (name === undefined) {
    throw new UsageError(
      'mai estimate needs KEY-OR-FILE: a model key or a GGUF file (or --stdin).',
    );
  }

  const settings = settingsFromInput(input);
  checkSettings(settings);
  const { title, modelKey, known } = await openModel(name, context);
  if (known.kind === 'header') checkSettings(settings, known.header);
  if (known.kind === 'size') {
    output.warn(
      `Of ${title} no more than the size is known, because ${known.why}: this is a guess.`,
    );
  } else if (!known.header.complete) {
    output.warn(
      `${known.file} is a header or an unfinished download: its weights can't be loaded.`,
    );
  }
  const report = reportOf(known, settings);
  // A file's estimate is its header's; a downloaded model was perhaps measured here.
  if (output.json && modelKey === null) {
    output.resultJson({ file: name, ...report });
    return EXIT.success;
  }
  const { gpuBackend } = settings;
  const isOurs = gpuBackend === null;
  // Settings for another machine's GPU say nothing about this one.
  const here =
    isOurs || gpuBackend === 'none'
      ? await decideHere(title, known, report, isOurs ? 'those-of-this-machine' : 'none', context)
      : null;
  const footprint = isOurs ? (here?.footprint ?? null) : null;
  const others =
    modelKey === null || footprint === null
      ? null
      : await otherSources(modelKey, footprint, settings, report, context);
  if (output.json) {
    output.resultJson({
      file: name,
      ...report,
      ...(others ?? { corrected: null, lmStudio: null }),
    });
  } else {
    const byContext = byContextLength(known, settings, report);
    const isHere = known.kind === 'header' || known.isHere;
    output.result(
      renderEstimate(title, { report, byContext, here: isHere ? here : null, others }, output),
    );
  }
  return EXIT.success;
}

const FIRST_CONTEXT = 4096;
/** The longest that an estimate takes; a header may claim any. */
const LONGEST_CONTEXT = 2 ** 30;
const MAX_ROWS = 8;

function reportOf(known: KnownModel, settings: EstimateSettings): EstimateReport {
  return known.kind === 'size'
    ? estimateReportFromFileSize(known, settings)
    : estimateReport(known.header, settings, known.visionProjector);
}

/** What a model was trained for; null where nothing says so. */
function trainedContext(known: KnownModel): number | null {
  if (known.kind === 'size') return null;
  const { architecture, metadata } = known.header;
  const trained = metadata.get(`${architecture ?? ''}.context_length`);
  return typeof trained === 'number' && trained >= 1 ? trained : null;
}

/** The same model at other context lengths, up to what it was trained for. */
function byContextLength(
  known: KnownModel,
  settings: EstimateSettings,
  { loadConfig }: EstimateReport,
): readonly EstimateReport[] {
  const asked = loadConfig.contextLengthTokens;
  const most = Math.max(asked, Math.min(trainedContext(known) ?? 8 * asked, LONGEST_CONTEXT));
  const lengths = new Set([asked, most]);
  for (let tokens = FIRST_CONTEXT; tokens < most; tokens *= 2) lengths.add(tokens);
  const sorted = [...lengths].sort((a, b) => a - b);
  // Too long a list loses its short end; what was asked for and the most stay.
  const shown = sorted.filter(
    (tokens, index) => tokens === asked || sorted.length - index <= MAX_ROWS,
  );
  return shown.map((contextLengthTokens) => reportOf(known, { ...settings, contextLengthTokens }));
}
