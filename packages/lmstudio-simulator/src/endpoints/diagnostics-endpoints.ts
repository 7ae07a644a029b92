import * as z from 'zod/mini';
import type { Backend } from '../runtime/backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { channel } from '../wire/endpoint.js';

// SDK 2.0.0 sends no parameter. The newest protocol code allows a parameter that names a device.
const parameterSchema = z.optional(z.object({ originDeviceIdentifier: z.optional(z.string()) }));
const stopSchema = z.object({ type: z.literal('stop') });

/** The namespace `diagnostics`: LM Studio's logs, which include the prompts of all clients. */
export function diagnosticsEndpoints({
  runtime,
}: Backend): readonly (readonly [string, Endpoint])[] {
  return [
    [
      'streamLogs',
      channel(parameterSchema, stopSchema, (_, serverChannel) => {
        const unsubscribe = runtime.log.subscribe((data) => {
          const log = { timestamp: runtime.clock.now(), data };
          serverChannel.send({ type: 'log', log });
        });
        serverChannel.onMessage(() => {
          unsubscribe();
          serverChannel.close();
        });
        serverChannel.onDisconnect(unsubscribe);
      }),
    ],
  ];
}
