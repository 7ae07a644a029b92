// Names on NATS. A permission is written for each of them, so every other file takes them from here.
//
//   mai.heartbeat.HOST               load of a host, every two seconds
//   mai.host.HOST.METHOD.ASKER       request of ASKER to HOST; NATS lets a host publish only with its own name as ASKER
//   $KV.mai_hosts.HOST               state of a host, in the bucket mai_hosts
//   _INBOX_HOST.>                    answers to the requests of a host

/** KV bucket of the states; the key is the name of the host. */
export const HOSTS_BUCKET = 'mai_hosts';

/** Requests that a host answers. */
export const HOST_METHODS = ['acquire', 'await', 'renew', 'release', 'describe'] as const;

export type HostMethod = (typeof HOST_METHODS)[number];

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

const STREAM = `KV_${HOSTS_BUCKET}`;

/**
 * The subjects that a host needs. It writes its own state and heartbeat only, asks under its own name, and reads answers
 * at its own inbox. It may create the bucket where a restarted server has lost it, but can't change, purge or delete it.
 */
export function hostPermissions(host: string): SubjectPermissions {
  return {
    publish: [
      heartbeatSubject(host),
      `mai.host.*.*.${host}`,
      `$KV.${HOSTS_BUCKET}.${host}`,
      '$JS.API.INFO',
      `$JS.API.STREAM.INFO.${STREAM}`,
      `$JS.API.STREAM.CREATE.${STREAM}`,
      // Opens a watcher, and closes one by its unguessable name.
      `$JS.API.CONSUMER.CREATE.${STREAM}.*.$KV.${HOSTS_BUCKET}.>`,
      `$JS.API.CONSUMER.DELETE.${STREAM}.*`,
      // Answers the server's flow control, so that a slow reader is not cut off.
      `$JS.FC.${STREAM}.>`,
    ],
    subscribe: [ALL_HEARTBEATS, `mai.host.${host}.>`, `${inboxPrefix(host)}.>`],
    responses: { max: 1, expiresSeconds: 60 },
  };
}
