import { issueHostCertificate } from '../certificates/issue.js';
import { fleetPaths, readFleetFile, readMembership } from '../files/fleet-folder.js';
import type { Admission } from '../invitation/join-protocol.js';
import { isHostName } from '../../nats/subjects.js';
import { readSigningRequest } from '../x509-door.js';
import { changeHosts } from './registry.js';

/** A signing request was refused. The message goes to the machine that sent it. */
export class RequestRefused extends Error {}

/**
 * Admits a host to the fleet: signs its certificate, makes its user at nats-server and puts it on the allow-list. Throws
 * `RequestRefused` where the name is taken or where the signing request asks for anything but a certificate for this name.
 */
export async function admitHost(
  folder: string,
  host: string,
  signingRequest: string,
): Promise<Admission> {
  if (!isHostName(host)) throw new RequestRefused(`${JSON.stringify(host)} is not a host name.`);
  const publicKey = await checkSigningRequest(signingRequest, host);
  const paths = fleetPaths(folder);
  const authority = {
    certificate: await readFleetFile(paths.authorityCertificate),
    privateKey: await readFleetFile(paths.authorityKey),
  };
  const now = new Date();
  const issued = await issueHostCertificate(authority, host, publicKey, now);
  const { registry, allowList } = await changeHosts(
    folder,
    (hosts) => {
      if (hosts.some((one) => one.host === host)) {
        throw new RequestRefused(
          `The fleet has a host ${host} already. Choose another name with --host, or remove that host first with \`mai fleet remove ${host}\`.`,
        );
      }
      return [...hosts, { host, addedAt: now.toISOString(), certificates: [issued] }];
    },
    { undoOnFault: true },
  );
  const membership = await readMembership(folder);
  return {
    host,
    authority: registry.authority,
    authorityCertificate: authority.certificate,
    certificate: issued.certificate,
    natsServers: [...(membership?.natsServers ?? [])],
    allowList,
  };
}

/** Returns the public key of a signing request that asks for a certificate of this host and for nothing else. */
export async function checkSigningRequest(pem: string, host: string): Promise<string> {
  const request = await readSigningRequest(pem);
  if (request === null) throw new RequestRefused("The signing request can't be read.");
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
