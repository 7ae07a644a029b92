// The ways to choose a machine for a request. Each returns the machines to try in turn, with the request to their autopilot.
import { DEFAULT_PLACEMENT_POLICY, placeRequest } from '@mai/fleet';
import { CHAIN } from './company.mjs';

/** What each kind of request asks of a machine's own autopilot. */
const WANTED = {
  chat: { capabilities: ['chat'] },
  coding: { capabilities: ['coding'] },
  vision: { modelKey: 'vision' },
  quick: { tiers: ['small'] },
};
/** Machines that the policies without Mai's placement try before a request counts as dropped. */
const TRIES = 3;

export const ARMS = {
  fleet: (hosts, clock) => {
    const byName = new Map(hosts.map((host) => [host.name, host]));
    const sends = new Map(hosts.map(({ name }) => [name, new Set()]));
    return {
      title: "the fleet's placement",
      choose: (request) => {
        const nowMs = clock.nowMs();
        const known = hosts.map((host) => host.known());
        const placement = placeRequest({
          hosts: known,
          ownHost: request.user,
          request: placementRequest(request),
          recentSends: [...sends.get(request.user)].map(({ sentAtMs, ...send }) => ({
            ...send,
            agoMs: nowMs - sentAtMs,
          })),
          policy: DEFAULT_PLACEMENT_POLICY,
        });
        return placement.alternatives.map(({ host, modelKey, instanceIdentifier, step }) => ({
          host: byName.get(host),
          wanted: step === 'own-host' ? WANTED[request.kind] : { modelKey, instanceIdentifier },
          send: {
            host,
            modelKey,
            instanceIdentifier,
            sentAtMs: nowMs,
            heartbeat: known.find(({ state }) => state.host === host).heartbeat,
            loading: instanceIdentifier === null,
          },
        }));
      },
      onSend: (request, { send }) => sends.get(request.user).add(send),
      onLease: ({ send }, { instanceIdentifier }) => {
        send.instanceIdentifier = instanceIdentifier;
        send.loading = false;
      },
      onEnd: (request, { send }) => sends.get(request.user).delete(send),
      // A request to a machine that has just gone off ends by its deadline.
      refusedAfterMs: (host) => (host.isDown ? 2_000 : 0),
    };
  },
  lone: (hosts) => {
    const byName = new Map(hosts.map((host) => [host.name, host]));
    return plain('fifty lone machines', ({ user, kind }) => [
      { host: byName.get(user), wanted: WANTED[kind] },
    ]);
  },
  'round-robin': (hosts) => {
    let next = 0;
    return plain('round robin', ({ kind }) => {
      const up = hosts.filter((host) => !host.isDown);
      next += 1;
      return Array.from({ length: Math.min(TRIES, up.length) }, (_, index) => ({
        host: up[(next + index) % up.length],
        wanted: WANTED[kind],
      }));
    });
  },
  'least-busy': (hosts) => {
    let next = 0;
    return plain('least busy', ({ kind }) => {
      next += 1;
      // Sorting is stable, so equally busy machines get requests in turn.
      const turned = hosts.map((_, index) => hosts[(next + index) % hosts.length]);
      return turned
        .filter((host) => !host.isDown)
        .sort((one, other) => one.requests - other.requests)
        .slice(0, TRIES)
        .map((host) => ({ host, wanted: WANTED[kind] }));
    });
  },
  'least-busy-loaded': (hosts) => {
    let next = 0;
    return plain('least busy with it loaded', ({ kind }) => {
      next += 1;
      const up = hosts
        .map((_, index) => hosts[(next + index) % hosts.length])
        .filter((host) => !host.isDown)
        .sort((one, other) => one.requests - other.requests);
      for (const modelKey of MODELS_OF[kind]) {
        const loaded = up.filter((host) => host.hasLoaded(modelKey));
        if (loaded.length === 0) continue;
        return loaded.slice(0, TRIES).map((host) => ({ host, wanted: { modelKey } }));
      }
      return up.slice(0, TRIES).map((host) => ({ host, wanted: WANTED[kind] }));
    });
  },
};

/** The models that serve a kind of request, in order of preference. */
const MODELS_OF = {
  chat: CHAIN,
  coding: ['coder', 'small'],
  vision: ['vision'],
  quick: ['small'],
};

function plain(title, choose) {
  const nothing = () => undefined;
  return {
    title,
    choose,
    onSend: nothing,
    onLease: nothing,
    onEnd: nothing,
    refusedAfterMs: () => 0,
  };
}

function placementRequest({ kind, promptTokens, conversation }) {
  const { capabilities = [], modelKey = null, tiers = null } = WANTED[kind];
  return {
    capabilities,
    tiers,
    promptTokens,
    minContextLengthTokens: null,
    chain: modelKey === null ? 'default' : null,
    modelKeys: modelKey === null ? CHAIN : [modelKey],
    instanceIdentifier: null,
    failed: [],
    prefixKey: conversation,
  };
}
