import { isAutopilotError } from '@mai/autopilot';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { Host } from '../host.js';
import { isHostError } from '../host-error.js';
import type { AutopilotRequest } from './open-autopilot.js';
import type { AutopilotPlace, KeepOptions } from './keep-options.js';

/** Pause before the next try while LM Studio is off, or another autopilot has just ended. */
const RETRY_MS = 1000;

/**
 * Keeps an autopilot running until the signal fires: in this process where no other process runs one, and again here
 * when the other process has ended. Waits while LM Studio is off.
 *
 * @throws errors other than an unreachable LM Studio, such as ModelConfigError
 */
export async function keepAutopilot(
  host: Pick<Host, 'startAutopilot' | 'events'>,
  request: AutopilotRequest,
  options: KeepOptions,
): Promise<void> {
  const { signal, clock, onPlace } = options;
  let last: AutopilotPlace['kind'] | null = null;
  const tell = (place: AutopilotPlace): void => {
    if (place.kind !== last) onPlace(place);
    last = place.kind;
  };
  while (!signal.aborted) {
    try {
      await runHere(host, request, options, tell);
    } catch (error) {
      if (signal.aborted) return;
      if (isAutopilotError(error) && error.code === 'ALREADY_RUNNING') {
        tell({ kind: 'elsewhere' });
        await followOther(host, options);
      } else if (isLMStudioError(error)) tell({ kind: 'nowhere', error });
      else throw error;
    }
    await clock.sleep(RETRY_MS, { signal }).catch(() => undefined);
  }
}

async function runHere(
  host: Pick<Host, 'startAutopilot'>,
  request: AutopilotRequest,
  { signal, onEvent }: KeepOptions,
  tell: (place: AutopilotPlace) => void,
): Promise<void> {
  const autopilot = await host.startAutopilot(request);
  const stop = (): void => void autopilot.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  tell({ kind: 'here' });
  try {
    for await (const event of autopilot.events) onEvent(event);
  } finally {
    signal.removeEventListener('abort', stop);
    await autopilot.stop();
  }
}

/** Resolves when the other autopilot has ended, or cannot be followed. */
async function followOther(
  host: Pick<Host, 'events'>,
  { signal, onEvent }: KeepOptions,
): Promise<void> {
  try {
    for await (const event of (await host.events({ signal })) ?? []) onEvent(event);
  } catch (error) {
    if (signal.aborted || isHostError(error)) return;
    throw error;
  }
}
