/** Subjects that a user of nats-server may publish to and subscribe to. Everything else is refused. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const STATES = 'KV_mai_hosts';
const LISTS = 'KV_mai_fleet';

/**
 * The permissions of one host.
 *
 * A host publishes its own heartbeat, writes its own entry of the bucket, sends requests to hosts, and answers
 * into inboxes. It hears heartbeats, requests to itself, and its own inbox. Of the JetStream API it may call what nats.js needs for
 * `open`, `get` and `watch` of the two buckets: the stream's info, reads of one message, and consumers that it makes and drops. Since
 * nats-server 2.9 the subject of `CONSUMER.CREATE` carries the filter, so the older forms, which carry none, are left out.
 * Streams can be made by the host that holds the authority only; purging and deleting is left to no user.
 *
 * `allow_responses` is not used. With it, a host answers to any reply subject that a request names, so an attacker could name
 * `$JS.API.STREAM.PURGE.KV_mai_hosts` and the answering host would purge the bucket.
 */
export function hostPermissions(host: string, isAuthority: boolean): Permissions {
  return {
    publish: [
      `mai.heartbeat.${host}`,
      'mai.host.*.*',
      `$KV.mai_hosts.${host}`,
      '_INBOX.*.>',
      // Limits and use of JetStream. nats.js reads them before it opens a bucket.
      '$JS.API.INFO',
      ...[STATES, LISTS].flatMap(readStream),
      ...(isAuthority ? ['$KV.mai_fleet.>', ...[STATES, LISTS].flatMap(makeStream)] : []),
    ],
    subscribe: ['mai.heartbeat.*', `mai.host.${host}.*`, `_INBOX.${host}.>`],
  };
}

function readStream(stream: string): string[] {
  const subjects = `$KV.${stream.slice('KV_'.length)}`;
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.${subjects}.>`,
    `$JS.API.CONSUMER.CREATE.${stream}.*.${subjects}.>`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    // Answers to the flow control of an ordered consumer.
    `$JS.FC.${stream}.>`,
  ];
}

function makeStream(stream: string): string[] {
  return [`$JS.API.STREAM.CREATE.${stream}`, `$JS.API.STREAM.UPDATE.${stream}`];
}
