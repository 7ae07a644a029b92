import type { Delivery } from '@mai/host';

/** Whether the running `mai watch` has read a change, as a sentence. */
export function describeDelivery(delivery: Delivery): string {
  switch (delivery.kind) {
    case 'seen':
      return `\`mai watch\` (process ${delivery.processId}) has seen it.`;
    case 'waiting':
      return `\`mai watch\` (process ${delivery.processId}) has not seen it yet, and will act on it as soon as it can.`;
    case 'nobody':
      return 'No `mai watch` is running; the next one will use it.';
  }
}

/** The delivery for `--json`; `null` where nothing had to change. */
export function deliveryJson(delivery: Delivery | null): object | null {
  if (delivery === null) return null;
  return delivery.kind === 'nobody'
    ? { seen: false, processId: null }
    : { seen: delivery.kind === 'seen', processId: delivery.processId };
}
