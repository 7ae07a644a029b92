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
