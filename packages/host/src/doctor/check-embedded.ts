import type { EmbeddedClient } from '../runtime/runtime-client.js';
import { RUNTIME_NAMES } from '../text/runtime-names.js';
import { checkResidents } from './check-lmstudio.js';
import { ok, type Check } from './check.js';

/** Names the installed engine, and checks the residents. */
export async function checkEmbedded(
  client: EmbeddedClient,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const [engines, residents] = await Promise.all([
    client.selectedEngines({ signal }),
    client.listResidents({ signal }),
  ]);
  const names = (engines ?? []).map(({ name, version }) => `${name} ${version}`);
  return [
    ok(RUNTIME_NAMES.embedded, `${names.join(', ')} is installed.`),
    checkResidents(residents),
  ];
}
