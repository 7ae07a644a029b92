import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * The credentials that a host shows to the fleet's nats-server. The certificate names the user, so there is no password
 * that could leak. The files are read for each connection, so that a new certificate is used without a restart.
 */
export interface FleetCredentials {
  /** Path of the authority's certificate, in PEM. */
  readonly caFile: string;
  /** Path of the file that holds the host's certificate, in PEM. */
  readonly certFile: string;
  /** Path of the file that holds the host's private key, in PEM. May be the same file. */
  readonly keyFile: string;
  /** Name in the certificate of nats-server, whatever its address is. */
  readonly servername: string;
}

/** A fault that says that the certificate of this host has expired by the clock of this machine; null where it has not, or cannot be read. */
export async function expiryFault(
  { certFile }: Pick<FleetCredentials, 'certFile'>,
  nowMs: number,
): Promise<Error | null> {
  try {
    const { validTo } = new X509Certificate(await readFile(certFile));
    const endMs = Date.parse(validTo);
    if (endMs > nowMs) return null;
    return new Error(`${OWN_CERTIFICATE} expired on ${new Date(endMs).toISOString().slice(0, 10)}`);
  } catch {
    // The attempt to connect has reported the file already.
    return null;
  }
}

/** Begins the message of `expiryFault`. */
export const OWN_CERTIFICATE = 'the certificate of this machine';
