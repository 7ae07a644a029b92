// Names on NATS. A permission is written for each of them, so every other file takes them from here.
//
//   mai.heartbeat.HOST               load of a host, every two seconds
//   mai.host.HOST.METHOD.ASKER       request of ASKER to HOST; NATS lets a host publish only with its own name as ASKER
//   $KV.mai_hosts.HOST               state of a host, in the bucket mai_hosts
//   $KV.mai_fleet.allow_list         hosts of the fleet, signed by its authority, in the bucket mai_fleet
//   _INBOX_HOST.>                    answers to the requests of a host

/** KV bucket of the states; the key is the name of the host. */
export const HOSTS_BUCKET = 'mai_hosts';

/** KV bucket of what the authority publishes to all hosts. Only the host that holds the authority writes to it. */
export const FLEET_BUCKET = 'mai_fleet';

/** Key of the signed allow-list. */
export const ALLOW_LIST_KEY = 'allow_list';

/**
 * Requests that a host answers. `certify` goes to the host that holds the authority, and `allow-list` brings the newest list
 * to a host that runs a nats-server.
 */
export type HostMethod =
  'acquire' | 'await' | 'renew' | 'release' | 'describe' | 'certify' | 'allow-list';

/** Longest name of a host in characters. */
export const MAX_HOST_NAME_LENGTH = 63;

/** Whether a text can be the name of a host: 1 to 63 lower-case letters, digits and dashes; no dash at an end. */
export function isHostName(text: string): boolean {
  return text.length <= MAX_HOST_NAME_LENGTH && /^[a-z0-9]+(?:-+[a-z0-9]+)*$/.test(text);
}

/** Subject of a host's heartbeats. */
export function heartbeatSubject(host: string): string {
  return `mai.heartbeat.${host}`;
}

/** All heartbeats. */
export const ALL_HEARTBEATS = 'mai.heartbeat.*';

/** Subject of a request from `asker` to `host`. */
export function requestSubject(host: string, method: HostMethod, asker: string): string {
  return `mai.host.${host}.${method}.${asker}`;
}

/** Requests of everybody to `host` for one method. */
export function servedSubject(host: string, method: HostMethod): string {
  return `mai.host.${host}.${method}.*`;
}

/** Last token of a subject: the asker of a request, or the host of a heartbeat. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** Prefix of the subjects at which a host receives answers. */
export function inboxPrefix(host: string): string {
  return `_INBOX_${host}`;
}

/** Subjects that a user of NATS may use. All other subjects are denied. */
export interface SubjectPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Answers that the user may send to the reply subject of one request, and for how long after the request. */
  readonly responses: { readonly max: number; readonly expiresSeconds: number };
}

const BUCKETS = [HOSTS_BUCKET, FLEET_BUCKET];

/** Subjects at which a host writes into a bucket. */
export const BUCKET_SUBJECTS = BUCKETS.map((bucket) => `$KV.${bucket}.>`);

/** Requests to JetStream that a host needs for watching the buckets. */
export const WATCH_REQUESTS = ['$JS.API.INFO', ...BUCKETS.flatMap(watchRequests)];

/** Requests to JetStream that make the buckets. */
export const CREATE_REQUESTS = BUCKETS.map((bucket) => `$JS.API.STREAM.CREATE.KV_${bucket}`);

/**
 * The subjects that a host needs. It writes its own state and heartbeat only, asks under its own name, and reads answers at
 * its own inbox. The host that holds the authority also makes the buckets, also after a restarted server has lost them, writes
 * the allow-list, and deletes the states of removed hosts. No user may change, purge or delete a bucket.
 *
 * Reads of single entries (`DIRECT.GET`) are left out: their answer is a text of the host's own choice at a subject of its
 * own choice.
 */
export function hostPermissions(
  host: string,
  options: {
    /** For the host that holds the authority: all hosts of the fleet. Null for the others. */
    readonly authorityOver: readonly string[] | null;
  },
): SubjectPermissions {
  return {
    publish: [
      heartbeatSubject(host),
      `mai.host.*.*.${host}`,
      `$KV.${HOSTS_BUCKET}.${host}`,
      ...WATCH_REQUESTS,
      ...(options.authorityOver === null ? [] : authoritySubjects(options.authorityOver)),
    ],
    subscribe: [ALL_HEARTBEATS, `mai.host.${host}.>`, `${inboxPrefix(host)}.>`],
    responses: { max: 1, expiresSeconds: 60 },
  };
}

/**
 * Further subjects that the host with the authority publishes to. It answers while nats-server reads its users again.
 * Then nats-server forgets which answers it has to let through, so the inboxes are listed.
 */
function authoritySubjects(hosts: readonly string[]): string[] {
  return [
    `$KV.${FLEET_BUCKET}.${ALLOW_LIST_KEY}`,
    `$KV.${HOSTS_BUCKET}.*`,
    ...CREATE_REQUESTS,
    ...hosts.map((host) => `${inboxPrefix(host)}.>`),
  ];
}

/** nats-server 2.9 and newer carry the filter of a consumer in the subject, so forms without it are left out. */
function watchRequests(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    // Opens a watcher, and closes one by its unguessable name.
    `$JS.API.CONSUMER.CREATE.${stream}.*.$KV.${bucket}.>`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    // Answers the server's flow control, so that a slow reader is not cut off.
    `$JS.FC.${stream}.>`,
  ];
}
