import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod/mini';

import { pause, type Clock } from '../../clock.js';
import { FleetError, isFleetError } from '../../fleet-error.js';
import type { FleetConnection } from '../../nats/connection.js';
import { requestSubject } from '../../nats/subjects.js';
import { parseJson } from '../../parse-json.js';
import { readAllowList } from '../allow-list.js';
import {
  NATS_SERVER_NAME,
  certificateFingerprint,
  isIssuedFor,
  isRenewalDue,
} from '../../certificates/issue.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import { pemOf, readFleetIdentity } from '../identity.js';
import type { FleetIdentity } from '../identity.js';
import { updateNatsServer } from '../nats-server/write-configuration.js';
import { createSigningRequest, generateKeyPair } from '../../certificates/x509-door.js';
import { certify } from './certify.js';
import { ANSWER_DEADLINE_MS, certifyAnswerSchema, signCertifyRequest } from './certify-protocol.js';
import type { CertifyAnswer, CertifyContent } from './certify-protocol.js';
import { tellAllowList } from './tell-allow-list.js';

/** How long both certificates are valid, so that this host's processes take up the new one and the others hear of it. */
const DEFAULT_OVERLAP_MS = 10_000;

/** How long the authority tries to tell the other hosts of its own new certificate. It tells them again after each connection. */
const TELL_MS = 10_000;

const ROTATION_CHECK_MS = 6 * 3_600_000;
/**
 * How long the old certificate stays valid after a planned rotation. When a certificate ends, the other gateways close its
 * connections and so cut off the answers on them. A planned rotation is not urgent, so this time lets most answers finish first.
 */
const ROTATION_OVERLAP_MS = 600_000;

export interface RotateKeysOptions {
  readonly folder: string;
  readonly connection: FleetConnection;
  /** How long the old certificate stays valid after the new one is in place. Default 10 seconds. */
  readonly overlapMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Gives this host a new key and a new certificate, which is also its user at nats-server. The old certificate ends once the
 * new one has been in place for `overlapMs`. nats-server then closes the connections of the old one, and they are opened
 * again with the new one. The authority must be reachable. A nats-server of this host gets a certificate for the new key, too.
 *
 * The host with the authority changes its own keys without NATS. So it comes back where its certificates have expired, and
 * nats-server takes no connection any more.
 *
 * Throws `FLEET_UNREACHABLE` where the authority does not answer, `NOT_PAIRED` where it refuses, for instance because
 * this host was removed, and `NATS_UNAVAILABLE` where a running nats-server of this host does not take the new certificate. Where the process ends before the old certificate does, both stay valid until the next rotation.
 */
export async function rotateKeys(options: RotateKeysOptions): Promise<FleetIdentity> {
  const { folder, signal } = options;
  const identity = await readFleetIdentity(folder);
  const { host, authorityCertificate } = identity;
  const keys = await generateKeyPair();
  const answer = await ask(identity, options, {
    kind: 'renew',
    host,
    fingerprint: certificateFingerprint(identity.certificate),
    signingRequest: await createSigningRequest(keys, host),
  });
  const allowList =
    answer.kind === 'certified' &&
    isIssuedFor(answer.certificate, authorityCertificate, host, keys) &&
    (answer.natsCertificate === null ||
      isIssuedFor(answer.natsCertificate, authorityCertificate, NATS_SERVER_NAME, keys))
      ? readAllowList(answer.allowList, authorityCertificate)
      : null;
  if (answer.kind !== 'certified' || allowList === null)
    throw refused(
      'its answer holds a certificate or an allow-list that is not valid for this machine',
    );
  const paths = fleetPaths(folder);
  if (answer.natsCertificate !== null) {
    await writePrivateFile(paths.natsIdentity, pemOf(keys, answer.natsCertificate));
  }
  await writePrivateFile(paths.hostIdentity, pemOf(keys, answer.certificate));
  // The other servers of a cluster close routes with the old key when its certificate is removed. The new key must be in use by then.
  await updateNatsServer(folder, allowList);
  const overlapMs = options.overlapMs ?? DEFAULT_OVERLAP_MS;
  await Promise.all([sleep(overlapMs, undefined, { signal }), tellOthers(identity, options)]);
  const renewed = await readFleetIdentity(folder);
  const fingerprint = certificateFingerprint(renewed.certificate);
  await ask(renewed, options, { kind: 'confirm', host, fingerprint });
  await tellOthers(renewed, options);
  return renewed;
}

/** Rotates the keys of this machine once less than a third of its certificate's life is left, until the signal fires. A rotation that fails is tried again. */
export async function rotateInTime({
  folder,
  connection,
  identity,
  clock,
  signal,
  onFault,
}: Pick<RotateKeysOptions, 'folder' | 'connection'> & {
  readonly identity: () => FleetIdentity;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFault: (error: unknown) => void;
}): Promise<void> {
  while (!signal.aborted) {
    if (isRenewalDue(identity().certificate, new Date(clock.nowMs()))) {
      const overlapMs = ROTATION_OVERLAP_MS;
      await rotateKeys({ folder, connection, signal, overlapMs }).catch((error: unknown) => {
        if (!signal.aborted) onFault(error);
      });
    }
    await pause(clock, ROTATION_CHECK_MS, signal);
  }
}

/** Sends a request to the authority. Where this host holds the authority, carries the request out. */
async function ask(
  identity: FleetIdentity,
  { folder, connection, signal }: RotateKeysOptions,
  content: CertifyContent,
): Promise<CertifyAnswer> {
  if (identity.host !== identity.authority) {
    return await askAuthority(connection, identity, content, signal);
  }
  const request = signCertifyRequest(content, identity.privateKey);
  const { answer, afterwards } = await certify(folder, identity.host, request);
  await afterwards?.();
  if (answer.kind === 'refused') throw refused(answer.reason);
  return answer;
}

/** Tells the other hosts of a change that the authority has carried out for itself. */
async function tellOthers(
  { host, authority }: FleetIdentity,
  { folder, connection, signal }: RotateKeysOptions,
): Promise<void> {
  if (host !== authority) return;
  const deadline = AbortSignal.timeout(TELL_MS);
  await tellAllowList(
    connection,
    folder,
    signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  );
}

/** Sends a signed request to the authority. Throws `FLEET_UNREACHABLE`, and `NOT_PAIRED` where the authority refuses. */
export async function askAuthority(
  connection: FleetConnection,
  identity: FleetIdentity,
  content: CertifyContent,
  signal: AbortSignal | undefined,
): Promise<CertifyAnswer> {
  const data = await connection
    .request(
      requestSubject(identity.authority, 'certify', identity.host),
      signCertifyRequest(content, identity.privateKey),
      { timeoutMs: ANSWER_DEADLINE_MS, signal: signal ?? null },
    )
    .catch((error: unknown) => {
      // Without a connection, the error names NATS.
      const isUnanswered = isFleetError(error) && error.code === 'FLEET_UNREACHABLE';
      if (!isUnanswered || !connection.connected) throw error;
      const message = `${identity.authority}, which made the fleet, does not answer. Start \`mai serve --fleet\` on it, and try again.`;
      throw new FleetError('FLEET_UNREACHABLE', message, { cause: error });
    });
  const answer = z.safeParse(certifyAnswerSchema, parseJson(Buffer.from(data).toString('utf8')));
  if (!answer.success) throw refused('its answer has another form than this version of Mai knows');
  if (answer.data.kind === 'refused') throw refused(answer.data.reason);
  return answer.data;
}

function refused(reason: string): FleetError {
  return new FleetError(
    'NOT_PAIRED',
    `The authority of the fleet did not carry out the request: ${reason}`,
  );
}
