import type { Backend } from './backend.js';
import type { Endpoint } from './endpoint.js';
import { rpc } from './endpoint.js';

/** The part of the `repository` namespace that tells of LM Link devices. */
export function repositoryEndpoints({
  host,
  profile,
}: Backend): readonly (readonly [string, Endpoint])[] {
  if (!profile.modern) return [];
  const { devices, deviceIdentifier, preferredDeviceIdentifier, machine } = host.world;
  return [
    [
      'lmLinkStatus',
      rpc(null, () => ({
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
