import type { EmbeddedClient } from '../runtime/runtime-client.js';
import { formatBytes } from '../words.js';
import { RUNTIME_NAMES } from '../text/runtime-names.js';
import { checkResidents } from './check-lmstudio.js';
import { ok, warning, type Check } from './check.js';

/** The figures are those of docs/adr/0008-binding-of-llama-cpp.md. */
const SCALAR_BUILD =
  ' Its build uses no vector instructions of the CPU: on the CPU, prompts are read about 5 times as slowly as by a build with AVX2, and answers are generated about half as fast.';

/** Names the installed engine, and checks the residents. */
export async function checkEmbedded(
  client: EmbeddedClient,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const [engines, residents] = await Promise.all([
    client.selectedEngines({ signal }),
    client.listResidents({ signal }),
  ]);
  const names = engines.map(({ name, version }) => `${name} ${version}`);
  const isScalar = engines.some(({ vectorInstructions }) => vectorInstructions === false);
  return [
    ok(RUNTIME_NAMES.embedded, `${names.join(', ')} is installed.${isScalar ? SCALAR_BUILD : ''}`),
    ...(await checkAddressSpace()),
    checkResidents(residents),
  ];
}

/** Names a limit on the address space, under which large models cannot be loaded. */
async function checkAddressSpace(): Promise<readonly Check[]> {
  const { addressSpaceLimitBytes } = await import('@mai/llama-runtime');
  const limitBytes = addressSpaceLimitBytes();
  if (limitBytes === null) return [];
  return [
    warning(
      'Address space',
      `Each process that is started here may use ${formatBytes(limitBytes)} of address space (ulimit -v). The engine maps the whole file of a model, and \`mai serve\` reserves 24 GiB, so both may fail.`,
      'Run "ulimit -v unlimited" before mai, or raise LimitAS= of the service.',
    ),
  ];
}
