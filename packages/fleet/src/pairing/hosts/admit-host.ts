import { issueHostCertificate, issueNatsCertificate } from '../../certificates/issue.js';
import { readAuthority } from '../files/fleet-folder.js';
import type { Admission } from './admission.js';
import { isHostName } from '../../nats/subjects.js';
import { describeTaken } from '../names.js';
import { readSigningRequest } from '../../certificates/x509-door.js';
import { changeHosts } from './registry.js';
import type { Registry } from './registry.js';
import type { Certified } from '../../certificates/x509-door.js';

/** A signing request was refused. The message goes to the machine that sent it. */
export class RequestRefused extends Error {}

/**
 * Admits a host to the fleet: signs its certificate, makes its user at nats-server and puts it on the allow-list. Throws
 * `RequestRefused` where the name is taken or where the signing request asks for anything but a certificate for this name.
 * With `serverAddress` the host gets the place of the fleet's nats-server at this address; null: it gets none.
 */
export async function admitHost(
  folder: string,
  host: string,
  signingRequest: string,
  serverAddress: string | null,
): Promise<Admission> {
  if (!isHostName(host)) throw new RequestRefused(`${JSON.stringify(host)} is not a host name.`);
  const publicKey = await checkSigningRequest(signingRequest, host);
  const authority = await readAuthority(folder);
  const now = new Date();
  const issued = await issueHostCertificate(authority, host, publicKey, now);
  const { registry, allowList } = await changeHosts(
    folder,
    ({ hosts, servers }) => {
      if (hosts.some((one) => one.host === host)) {
        throw new RequestRefused(describeTaken(host));
      }
      const place = servers.find(({ address }) => address === serverAddress);
      if (place !== undefined && place.host !== null) {
        throw new RequestRefused(
          `The nats-server at ${place.address} now belongs to ${place.host}.`,
        );
      }
      return {
        hosts: [...hosts, { host, addedAt: now.toISOString(), certificates: [issued] }],
        servers: servers.map((one) => (one === place ? { ...one, host } : one)),
      };
    },
    { undoOnFault: true },
  );
  return {
    host,
    authority: registry.authority,
    authorityCertificate: authority.certificate,
    certificate: issued.certificate,
    natsCertificate: await natsCertificateOf(registry, authority, host, publicKey, now),
    allowList,
  };
}

/** A certificate for the nats-server that a host runs; null where it runs none. */
export async function natsCertificateOf(
  { servers }: Registry,
  authority: Certified,
  host: string,
  publicKey: string,
  now: Date,
): Promise<string | null> {
  const place = servers.find((one) => one.host === host);
  return place === undefined
    ? null
    : await issueNatsCertificate(authority, place.address, publicKey, now);
}

/** Returns the public key of a signing request that asks for a certificate of this host and for nothing else. */
export async function checkSigningRequest(pem: string, host: string): Promise<string> {
  const request = await readSigningRequest(pem);
  if (request === null) throw new RequestRefused('The signing request cannot be read.');
  if (!request.signed || request.publicKey === null) {
    throw new RequestRefused('The signing request is not signed by a key on the curve P-256.');
  }
  if (request.name !== host) {
    throw new RequestRefused(`The signing request does not name the host ${host}.`);
  }
  if (request.asksForMore) {
    throw new RequestRefused(
      'The signing request asks for extensions. The fleet decides alone about what a certificate holds.',
    );
  }
  return request.publicKey;
}
