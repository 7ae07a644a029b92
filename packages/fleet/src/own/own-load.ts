import type { OwnLoad } from '../membership/members.js';
import { locateInstance } from '../serving/catalog/instance-names.js';

/** The requests of one gateway. `Gateway.state` of `@mai/gateway` returns them. */
export interface GatewayLoad {
  readonly lanes: readonly { readonly instanceIdentifier: string; readonly running: number }[];
  readonly waiting: number;
}

/** The requests on residents of this machine. Those that other hosts answer are not its load. */
export function loadOfGateways(
  gateways: readonly GatewayLoad[],
  ownHost: string,
): Pick<OwnLoad, 'running' | 'queued' | 'residents'> {
  const residents: Record<string, number> = {};
  for (const { instanceIdentifier: name, running } of gateways.flatMap(({ lanes }) => lanes)) {
    const { host, instanceIdentifier } = locateInstance(name, ownHost);
    if (host !== ownHost) continue;
    residents[instanceIdentifier] = (residents[instanceIdentifier] ?? 0) + running;
  }
  return {
    residents,
    running: Object.values(residents).reduce((sum, one) => sum + one, 0),
    queued: gateways.reduce((sum, { waiting }) => sum + waiting, 0),
  };
}
