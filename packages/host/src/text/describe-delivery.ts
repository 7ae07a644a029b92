import type { Delivery } from '../control/autopilot-service.js';

/** Whether the running autopilot has read a change, as a sentence. */
export function describeDelivery(delivery: Delivery): string {
  switch (delivery.kind) {
    case 'seen':
      return `The running autopilot (process ${delivery.processId}) has read the change.`;
    case 'waiting':
      return `The running autopilot (process ${delivery.processId}) has not read the change yet, and will read it soon.`;
    case 'nobody':
      return 'Neither `mai serve` nor `mai watch` is running. The next one will apply the change.';
  }
}

/** The delivery for `--json`. `null`: nothing had to change. */
export function deliveryJson(delivery: Delivery | null): object | null {
  if (delivery === null) return null;
  return delivery.kind === 'nobody'
    ? { seen: false, processId: null }
    : { seen: delivery.kind === 'seen', processId: delivery.processId };
}
