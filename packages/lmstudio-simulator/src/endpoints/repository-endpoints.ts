import * as z from 'zod/mini';
import type { Backend } from '../runtime/backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc, noParameter } from '../wire/endpoint.js';
import { WireError } from '../wire/wire-error.js';

/** The namespace `repository`: the status of LM Link and its preferred device. */
export function repositoryEndpoints({
  runtime,
}: Backend): readonly (readonly [string, Endpoint])[] {
  if (!runtime.profile.modern) return [];
  const { devices, deviceIdentifier, machine } = runtime.world;
  return [
    [
      'lmLinkStatus',
      rpc(noParameter, () => ({
        status: deviceIdentifier === null ? 'offline' : 'online',
        issues: deviceIdentifier === null ? ['notLoggedIn'] : [],
        peers: devices.map((device) => ({
          deviceIdentifier: device.deviceIdentifier,
          deviceName: device.deviceName,
          status: device.status,
        })),
        deviceIdentifier,
        deviceName: machine.name,
        ...(runtime.preferredDeviceIdentifier === null
          ? {}
          : { preferredDeviceIdentifier: runtime.preferredDeviceIdentifier }),
      })),
    ],
    [
      'lmLinkSetPreferredDevice',
      rpc(z.object({ deviceIdentifier: z.string() }), ({ deviceIdentifier: preferred }) => {
        const known = devices.some((device) => device.deviceIdentifier === preferred);
        // The text is invented.
        if (!known && preferred !== deviceIdentifier) {
          throw new WireError(`LM Link has no device "${preferred}".`);
        }
        runtime.preferredDeviceIdentifier = preferred === deviceIdentifier ? null : preferred;
      }),
    ],
  ];
}
