import { issueHostCertificate } from '../../certificates/issue.js';
import { readAuthority } from '../files/fleet-folder.js';
import { RequestRefused, checkSigningRequest, natsCertificateOf } from './admit-host.js';
import { readCertifyRequest } from './certify-protocol.js';
import type { CertifyAnswer, CertifyContent } from './certify-protocol.js';
import { changeHosts, readRegistry } from './registry.js';
import type { RegisteredHost } from './registry.js';
import { removeHost } from './remove-host.js';

/** The authority's answer to a request. */
export interface CertifyOutcome {
  readonly answer: CertifyAnswer;
  /** Work that follows the answer, because it closes the asker's connection. Null: no such work. */
  readonly afterwards: (() => Promise<void>) | null;
  /** Whether the allow-list changes. */
  readonly changed: boolean;
}

/**
 * Answers a request of `asker` to the authority, on the machine that holds it. While a certificate is being replaced both are
 * valid: nats-server has a user for each, and the allow-list holds both fingerprints.
 */
export async function certify(
  folder: string,
  asker: string,
  text: string,
): Promise<CertifyOutcome> {
  const { hosts } = await readRegistry(folder);
  const content = readCertifyRequest(text, (host, fingerprint) => {
    const registered = hosts.find((one) => one.host === host)?.certificates;
    return registered?.find((one) => one.fingerprint === fingerprint)?.certificate ?? null;
  });
  if (content === null || content.host !== asker) {
    return {
      answer: {
        kind: 'refused',
        reason: 'The request is not signed by a key of a host of this fleet.',
      },
      afterwards: null,
      changed: false,
    };
  }
  try {
    return await carryOut(folder, content);
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    return {
      answer: { kind: 'refused', reason: error.message },
      afterwards: null,
      changed: false,
    };
  }
}

async function carryOut(folder: string, content: CertifyContent): Promise<CertifyOutcome> {
  const { host, fingerprint } = content;
  switch (content.kind) {
    case 'renew': {
      const publicKey = await checkSigningRequest(content.signingRequest, host);
      const authority = await readAuthority(folder);
      const now = new Date();
      const issued = await issueHostCertificate(authority, host, publicKey, now);
      const { registry, allowList } = await changeHosts(
        folder,
        // A certificate of an earlier rotation that was not finished is dropped.
        ({ hosts }) => ({ hosts: withCertificates(hosts, host, fingerprint, [issued]) }),
        { undoOnFault: true },
      );
      return {
        answer: {
          kind: 'certified',
          certificate: issued.certificate,
          natsCertificate: await natsCertificateOf(registry, authority, host, publicKey, now),
          allowList,
        },
        afterwards: null,
        changed: true,
      };
    }
    case 'confirm':
      return accepted(async () => {
        await changeHosts(
          folder,
          ({ hosts }) => ({ hosts: withCertificates(hosts, host, fingerprint, []) }),
          { undoOnFault: false },
        );
      });
    case 'leave':
      if (host === (await readRegistry(folder)).authority) {
        throw new RequestRefused(
          'The host that holds the authority cannot be removed from the fleet.',
        );
      }
      return accepted(async () => {
        await removeHost({ folder, host });
      });
  }
}

function accepted(afterwards: () => Promise<void>): CertifyOutcome {
  return { answer: { kind: 'accepted' }, afterwards, changed: true };
}

/** The list of hosts in which `host` keeps one of its certificates and gets new ones. */
function withCertificates(
  hosts: readonly RegisteredHost[],
  host: string,
  kept: string,
  added: RegisteredHost['certificates'],
): readonly RegisteredHost[] {
  return hosts.map((one) => {
    if (one.host !== host) return one;
    const remaining = one.certificates.filter(({ fingerprint }) => fingerprint === kept);
    // Another request may have ended the certificate since this one was read.
    if (remaining.length === 0) {
      throw new RequestRefused('The certificate that signed the request has ended.');
    }
    return { ...one, certificates: [...remaining, ...added] };
  });
}
