import type { Backend } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc, noParameter } from '../wire/endpoint.js';

/** The namespace `repository`: only the status of LM Link. */
export function repositoryEndpoints({
  runtime,
  profile,
}: Backend): readonly (readonly [string, Endpoint])[] {
  if (!profile.modern) return [];
  const { devices, deviceIdentifier, preferredDeviceIdentifier, machine } = runtime.world;
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
        ...(preferredDeviceIdentifier === null ? {} : { preferredDeviceIdentifier }),
      })),
    ],
  ];
}
