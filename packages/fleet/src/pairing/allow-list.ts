import { X509Certificate, sign, verify } from 'node:crypto';

import { z } from 'zod/mini';

import { isHostName } from '../nats/subjects.js';
import { parseJson } from '../parse-json.js';
import { hostAndPort, isAddress, isPort } from './names.js';

/** This prefix is signed with the list, so a signature of the authority for another kind of text is not valid for a list. */
const CONTEXT = 'mai-fleet-allow-list-v1\n';

/** The URI in a host's certificate, which is its user at nats-server. */
export const NATS_USER = /^mai:\/\/[a-z0-9-]+\/[0-9a-f]{32}$/;

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const port = z.int().check(z.refine(isPort));

const contentSchema = z.strictObject({
  version: z.literal(1),
  revision: z.int().check(z.nonnegative()),
  hosts: z.array(
    z.strictObject({
      host: z.string().check(z.refine(isHostName)),
      fingerprints: z.array(digest),
      users: z.array(z.string().check(z.regex(NATS_USER))),
    }),
  ),
  natsPort: port,
  routePort: port,
  servers: z.array(
    z.strictObject({
      address: z.string().check(z.refine(isAddress)),
      host: z.nullable(z.string().check(z.refine(isHostName))),
      keys: z.array(digest),
    }),
  ),
  revokedKeys: z.array(digest),
});

const signedSchema = z.strictObject({ content: z.string(), signature: z.string() });

/**
 * The hosts that gateways of the fleet talk to, with the fingerprints of their certificates, and the fleet's nats-servers.
 * Each host that runs a nats-server writes its configuration from the newest list.
 *
 * The fleet's authority signs the list, so it may travel over any connection: a host that may write to NATS cannot add or remove
 * a host. A reader keeps the list with the highest revision that it has seen, also over a restart, so an old list cannot be put
 * back.
 */
export interface AllowList {
  readonly revision: number;
  readonly hosts: readonly AllowedHost[];
  /** Port of each nats-server for the hosts. */
  readonly natsPort: number;
  /** Port of each nats-server for the other servers of a cluster. */
  readonly routePort: number;
  /** The fleet's nats-servers: one, or the three or five of a cluster. */
  readonly servers: readonly AllowedServer[];
  /**
   * Fingerprints of public keys that the fleet's nats-servers had. Their certificates are still genuine by their dates, so
   * hosts refuse a server that shows such a key.
   */
  readonly revokedKeys: readonly string[];
}

export interface AllowedServer {
  readonly address: string;
  /** Host that runs the server; null while the place is free. */
  readonly host: string | null;
  /** Fingerprints of its public keys. Two while the key is being replaced. */
  readonly keys: readonly string[];
}

export interface AllowedHost {
  readonly host: string;
  /** SHA-256 of each certificate in DER, in hexadecimal digits. Two while a certificate is being replaced. */
  readonly fingerprints: readonly string[];
  /** Users at nats-server, one for each certificate. */
  readonly users: readonly string[];
}

/** Text of an allow-list, signed with the authority's private key. */
export function signAllowList(list: AllowList, authorityKey: string): string {
  const content = JSON.stringify({ version: 1, ...list });
  const signature = sign('sha256', Buffer.from(CONTEXT + content), authorityKey);
  return JSON.stringify({ content, signature: signature.toString('base64') });
}

/** Reads an allow-list. Returns null where the authority did not sign it, or where the text is not an allow-list. */
export function readAllowList(text: string, authorityCertificate: string): AllowList | null {
  const signed = z.safeParse(signedSchema, parseJson(text));
  if (!signed.success) return null;
  const { content, signature } = signed.data;
  const genuine = verify(
    'sha256',
    Buffer.from(CONTEXT + content),
    new X509Certificate(authorityCertificate).publicKey,
    Buffer.from(signature, 'base64'),
  );
  if (!genuine) return null;
  const list = z.safeParse(contentSchema, parseJson(content));
  if (!list.success) return null;
  const { revision, hosts, natsPort, routePort, servers, revokedKeys } = list.data;
  return { revision, hosts, natsPort, routePort, servers, revokedKeys };
}

/**
 * URLs of the fleet's nats-servers. An address that no host of the fleet runs is left out, because the server of a removed host
 * may still listen there.
 */
export function natsUrls({
  servers,
  natsPort,
}: Pick<AllowList, 'servers' | 'natsPort'>): readonly string[] {
  return servers
    .filter(({ host }) => host !== null)
    .map(({ address }) => `tls://${hostAndPort(address, natsPort)}`);
}

/** Name of the host that a certificate belongs to, by an allow-list; null where the list does not hold it. */
export function allowedHost(list: AllowList, fingerprint: string): string | null {
  const found = list.hosts.find(({ fingerprints }) => fingerprints.includes(fingerprint));
  return found?.host ?? null;
}

/** Whether a host belongs to the fleet. */
export function isOn({ hosts }: AllowList, name: string): boolean {
  return hosts.some(({ host }) => host === name);
}
