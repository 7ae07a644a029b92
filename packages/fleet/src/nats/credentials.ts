/** What a host shows to the fleet's NATS server. */
export interface FleetCredentials {
  readonly user: string;
  readonly password: string;
  /** PEM texts: the fleet's CA, and the host's certificate and key. Null: without TLS, for tests on loopback. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
}
