import { describeSource, isModelConfigError, plural } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';

/** `mai config check [FILE]`: lists every problem with its position. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const named = input.positionals[0] ?? null;
  await using host = await openHostOf(context, named === null ? {} : { configFile: named });
  try {
    const { config, source } = await host.config();
    const models = config.models.length;
    const chains = Object.keys(config.fallbackChains).length;
    if (output.json) {
      output.resultJson({ valid: true, source: source.kind, file: source.file, issues: [] });
    } else {
      const name = source.file ?? 'The built-in configuration';
      const ok = output.style.good('is valid');
      const facts = `${plural(models, 'model')}, ${plural(chains, 'fallback chain')}`;
      const origin = named === null ? ` (${describeSource(source)})` : '';
      output.result(`${name} ${ok}: ${facts}${origin}.\n`);
    }
    return EXIT.success;
  } catch (error) {
    if (!output.json || !isModelConfigError(error) || error.code !== 'CONFIG_INVALID') throw error;
    // A file that was not parsed has no issues, and only the message says why.
    if (error.issues.length === 0) throw error;
    output.resultJson({ valid: false, file: error.file, issues: error.issues });
    return EXIT.usage;
  }
}
