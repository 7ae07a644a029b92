import type { JournalState } from '@mai/autopilot';
import { isAutopilotError } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type { CommandContext } from '../context.js';
import { autopilotFilesOf } from './autopilot-files.js';
import { withoutPins, withPin } from './pins.js';
import type { Delivery } from './tell-autopilot.js';
import { tellAutopilot } from './tell-autopilot.js';

/** What a person loaded by hand stays until it is unloaded by hand. */
export async function pinLoadedByHand(
  context: CommandContext,
  client: LMStudioClient,
  instanceIdentifier: string,
): Promise<Delivery | null> {
  const { io, signal } = context;
  const residents = await client.listResidents({ signal });
  const loaded = new Set(residents.map((one) => one.instanceIdentifier));
  const pin = { target: instanceIdentifier, reason: 'load', sinceMs: io.nowMs() } as const;
  return tell(context, client, (journal) =>
    withPin(
      // What went by other ways than `mai unload` is not held for whatever takes its name next.
      withoutPins(journal, ({ reason, target }) => reason === 'load' && !loaded.has(target)),
      pin,
    ),
  );
}

/** Takes back what `pinLoadedByHand` did for what has been unloaded. */
export function unpinUnloadedByHand(
  context: CommandContext,
  client: LMStudioClient,
  instanceIdentifiers: readonly string[],
): Promise<Delivery | null> {
  return tell(context, client, (journal) =>
    withoutPins(
      journal,
      ({ reason, target }) => reason === 'load' && instanceIdentifiers.includes(target),
    ),
  );
}

/** What was done to LM Studio is done: a journal that can't be written is worth a warning only. */
async function tell(
  context: CommandContext,
  client: LMStudioClient,
  change: (journal: JournalState) => JournalState,
): Promise<Delivery | null> {
  try {
    const files = autopilotFilesOf(context, client.baseUrl);
    return (await tellAutopilot(context, files, change)).delivery;
  } catch (error) {
    if (!isAutopilotError(error)) throw error;
    context.output.warn(error.message);
    return null;
  }
}
