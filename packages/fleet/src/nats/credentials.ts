/**
 * What a host shows to the fleet's nats-server. The certificate names the user, so there is no password that could leak. All but the name are
 * PEM texts.
 */
export interface FleetCredentials {
  /** Certificate of the fleet's authority. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Name in the certificate of nats-server, whatever its address is. */
  readonly servername: string;
}
