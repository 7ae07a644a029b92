import type { RuntimeConnection, RuntimeLink } from '../runtime/connect-runtime.js';
import type { RuntimeChoice } from '../runtime/choose-runtime.js';
import { isRuntimeError } from '../runtime/runtime-error.js';
import { RUNTIME_NAMES } from '../text/runtime-names.js';
import { checkEmbedded } from './check-embedded.js';
import { checkLMStudio } from './check-lmstudio.js';
import type { Check } from './check.js';
import { fault, ok, warning } from './check.js';

/**
 * Says which runtime is used, and why. Connects to it and checks it. `link` is null where LM Studio answers but refuses
 * this client.
 */
export async function checkRuntime(
  runtime: RuntimeConnection,
  signal: AbortSignal,
): Promise<{ readonly link: RuntimeLink | null; readonly checks: readonly Check[] }> {
  const choice = await runtime.choice(signal);
  const name = RUNTIME_NAMES[choice.runtime];
  const chosen = ok('Runtime', `${name}, because ${REASONS[choice.because]}.`);
  try {
    const link = await runtime.link(signal);
    if (link.kind === 'off') {
      // LM Studio that is off is only a warning, because many commands work without it.
      const finding = link.runtime === 'embedded' ? fault : warning;
      const mend = choice.because === 'no-engine' ? NO_ENGINE_STEP : null;
      return { link, checks: [chosen, finding(name, link.reason.message, mend)] };
    }
    const checks =
      link.runtime === 'embedded'
        ? await checkEmbedded(link.client, signal)
        : await checkLMStudio(link.client, signal);
    return { link, checks: [chosen, ...checks] };
  } catch (error) {
    if (!isRuntimeError(error)) throw error;
    return { link: null, checks: [chosen, fault(name, error.message, null)] };
  }
}

const REASONS: Readonly<Record<RuntimeChoice['because'], string>> = {
  option: '--runtime names it',
  address: '--url or MAI_LMSTUDIO_URL gives the address of LM Studio',
  config: 'the configuration names it',
  'lmstudio-runs': 'LM Studio runs on this machine',
  'lmstudio-off': 'LM Studio does not run on this machine',
  'no-engine': 'the embedded engine is not installed',
};

const NO_ENGINE_STEP =
  'Start LM Studio, or install mai again with its optional packages: npm install -g @mai/cli --include=optional';
