import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { Host } from '@mai/host';
import {
  createGateway,
  type Gateway,
  type ServingLease,
  type ServingPort,
} from '../../src/index.js';
import type { TestCertificate } from '../certificates.js';

/** The gateway of another host, and the certificate with which it is asked. */
export interface FrontOptions {
  /** The host behind both gateways. */
  readonly host: Host;
  readonly authority: TestCertificate;
  readonly client: TestCertificate;
  /** Port of host-b's gateway on 127.0.0.1. */
  readonly port: number;
  /** Default `host-b`. */
  readonly serverName?: string;
  /** Default `lease-1`. */
  readonly lease?: string;
  readonly change?: (lease: ServingLease) => ServingLease;
}

/** A gateway of host-a, all of whose leases are on host-b, except where that has failed. */
export async function openFront({
  host,
  authority,
  client,
  port,
  serverName = 'host-b',
  lease = 'lease-1',
  change = (given) => given,
}: FrontOptions): Promise<{ readonly gateway: Gateway; readonly url: string }> {
  const local = host.serving;
  const secureContext = createSecureContext({
    ca: authority.cert,
    cert: client.cert,
    key: client.key,
  });
  const serving: ServingPort = {
    ...local,
    acquire: async (request, call) => {
      const given = await local.acquire({ ...request, failed: [] }, call);
      if (request.failed.includes(`${given.instanceIdentifier}@host-b`)) return given;
      return change({
        ...given,
        instanceIdentifier: `${given.instanceIdentifier}@host-b`,
        baseUrl: `https://127.0.0.1:${port}`,
        requestHeaders: { 'x-mai-lease': lease },
        peer: {
          host: 'host-b',
          instanceIdentifier: given.instanceIdentifier,
          tls: {
            secureContext,
            serverName,
            checkServer: (certificate) => checkServerIdentity(serverName, certificate),
          },
          ended: () => undefined,
        },
      });
    },
  };
  const gateway = await createGateway({ serving });
  const { url } = await gateway.listen({ port: 0 });
  return { gateway, url };
}
