import { createAutopilot, type Autopilot } from '../src/loop/create-autopilot.js';
import type { AutopilotEvent } from '../src/events/autopilot-event.js';
import type { AutopilotOptions } from '../src/autopilot-options.js';
import type { FakeWorld } from './fake-world.js';
import { flush } from './manual-clock.js';

/** A running autopilot over a fake world, with all of its events. */
export interface Pilot {
  readonly autopilot: Autopilot;
  readonly events: AutopilotEvent[];
  of<T extends AutopilotEvent['type']>(type: T): Extract<AutopilotEvent, { type: T }>[];
  /** Stops, and checks that no timer is left and that two loads never ran at once. */
  stop(): Promise<void>;
}

export async function startPilot(
  world: FakeWorld,
  options: Partial<AutopilotOptions> = {},
): Promise<Pilot> {
  const autopilot = createAutopilot({ ...world.ports, random: () => 0.5, ...options });
  const events: AutopilotEvent[] = [];
  const iterator = autopilot.events[Symbol.asyncIterator]();
  const reading = (async () => {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      events.push(next.value);
    }
  })();
  await world.clock.drive(autopilot.start());
  await flush();
  return {
    autopilot,
    events,
    of: <T extends AutopilotEvent['type']>(type: T) =>
      events.filter((event): event is Extract<AutopilotEvent, { type: T }> => event.type === type),
    stop: async () => {
      await world.clock.drive(autopilot.stop());
      await reading;
      expect(world.clock.pending).toBe(0);
      expect(world.maxLoading).toBeLessThanOrEqual(1);
    },
  };
}
