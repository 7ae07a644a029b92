import type { GatewayWorld } from './open-world.js';

/** Resolves when nothing runs and nobody waits. */
export async function idle({ gateway }: GatewayWorld): Promise<void> {
  await until(() => {
    const { lanes, waiting } = gateway.state();
    return waiting === 0 && lanes.every(({ running }) => running === 0);
  });
}

/** Looks every few milliseconds whether a condition has come true. The test's own limit ends it. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Requests for chat that the simulated LM Studio has got. */
export function answersOf(world: GatewayWorld): number {
  return world.simulator.requests.filter(({ endpoint }) => endpoint === '/v1/chat/completions')
    .length;
}

/** Keys of the models that the host has asked LM Studio to load. */
export function loadsOf(world: GatewayWorld): string[] {
  return world.simulator.requests
    .filter(({ endpoint }) => endpoint === 'loadModel')
    .map(({ parameter }) => (parameter as { modelKey: string }).modelKey);
}
