import type { PeerCertificate } from 'node:tls';

import { allowedHost } from '../allow-list.js';
import type { AllowList } from '../allow-list.js';
import { certificateFingerprint } from '../../certificates/issue.js';

/** The parts of an identity that a gateway uses for TLS with other gateways. */
export interface PeerIdentity {
  readonly authorityCertificate: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/** Options of `tls.connect` and of undici's `connect` for a connection to another gateway. */
export interface PeerConnectOptions {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.3';
  readonly servername: string;
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;
}

/** Options of `https.createServer` for connections of other gateways. */
export interface PeerListenOptions {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.3';
  readonly requestCert: true;
  readonly rejectUnauthorized: true;
}

/**
 * TLS options for a connection to the gateway of a host. The gateway must show a certificate of the fleet's authority, and
 * the allow-list must hold this certificate under this host's name at the time of the connection. Its address does not
 * matter.
 */
export function peerConnectOptions(
  identity: PeerIdentity,
  host: string,
  allowList: () => AllowList,
): PeerConnectOptions {
  return {
    ...ownSide(identity),
    servername: host,
    checkServerIdentity: (_name, certificate) =>
      peerHost(allowList(), certificate) === host
        ? undefined
        : new Error(`The certificate that ${host} shows is not on the fleet's allow-list.`),
  };
}

/** TLS options for listening for other gateways. The server still asks `peerHost` for each connection. */
export function peerListenOptions(identity: PeerIdentity): PeerListenOptions {
  return { ...ownSide(identity), requestCert: true, rejectUnauthorized: true };
}

/** Host to which the allow-list assigns a peer's certificate; null where the list does not hold the certificate. */
export function peerHost(allowList: AllowList, certificate: PeerCertificate): string | null {
  // Without a certificate Node gives an empty object, whose type says otherwise.
  const { raw }: Partial<PeerCertificate> = certificate;
  return raw === undefined ? null : allowedHost(allowList, certificateFingerprint(raw));
}

function ownSide(
  identity: PeerIdentity,
): Pick<PeerListenOptions, 'ca' | 'cert' | 'key' | 'minVersion'> {
  return {
    ca: identity.authorityCertificate,
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.3',
  };
}
