import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { createResourceMonitor } from '@mai/resource-monitor';
import type { CommandContext } from '../context.js';

/** The monitor of this machine, as every command but the demo uses it. */
export function createMachine({ io }: CommandContext): ResourceMonitor {
  return createResourceMonitor({ env: io.env, platform: io.platform });
}

/** Tells the monitor of GPUs that LM Studio's engine sees and the system may hide. */
export async function informMachine(
  machine: ResourceMonitor,
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<void> {
  if (!client.host.isLocal) return;
  try {
    machine.inform({ survey: await client.surveyHardware({ signal }) });
  } catch (error) {
    // An LM Studio that does not tell, or not in time, leaves what the system itself shows.
    if (!isLMStudioError(error)) throw error;
  }
}
