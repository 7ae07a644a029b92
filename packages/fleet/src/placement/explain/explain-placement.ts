import { linesOf, sentence, type ExplainedSentence } from './explained-sentence.js';
import type {
  AssumedFigure,
  HostNotTaken,
  NotTakenReason,
  Placement,
  PlacementAlternative,
  PlacementFigures,
  RankingCriterion,
} from '../placement.js';

/** Maximum number of hosts with the same reason that are explained one by one. Further hosts are counted. */
const HOSTS_LISTED = 12;

/**
 * Explains a placement in sentences with figures, as `mai fleet explain` prints them. Plain text: each sentence and each
 * item of a list has its own line, and no line break follows the last one.
 */
export function explainPlacement(placement: Placement): string {
  return linesOf(sentencesOfPlacement(placement)).join('\n');
}

/** The sentences of `explainPlacement`, with their lists. */
export function sentencesOfPlacement(placement: Placement): readonly ExplainedSentence[] {
  const [taken, ...others] = placement.alternatives;
  if (taken === undefined) return [sentence('No host can serve the request.')];
  const { promptTokens, answerTokens } = placement;
  const inTurn: ExplainedSentence = {
    text: 'If that host refuses, these are asked in turn:',
    items: others.map((other) => `${other.host}: ${describePlace(other)}`),
    ordered: true,
  };
  const notTaken: ExplainedSentence = {
    text: 'Why the request does not go to another host first:',
    items: describeNotTaken(placement),
    ordered: false,
  };
  return [
    sentence(`The request goes to ${taken.host}: ${describePlace(taken)}`),
    sentence(
      `Figures are for a prompt of ${count(promptTokens, 'token')} and an answer of ${count(answerTokens, 'token')}.`,
    ),
    ...[inTurn, notTaken].filter(({ items }) => items.length > 0),
  ];
}

function describePlace(alternative: PlacementAlternative): string {
  const { modelKey, figures, host } = alternative;
  if (modelKey === null || figures === null) {
    return `no model is known to serve the request there, so ${host} decides by itself.`;
  }
  const parts = [
    `${modelKey} ${describeStep(alternative, figures)}.`,
    `The first token is expected after ${seconds(figures.waitMs)} (${describeWait(figures)})`,
    `and the answer ${seconds(figures.answerMs)} later${describeSpeed(figures)}.`,
  ];
  if (figures.tooSlow) parts.push('That is slower than the policy asks for.');
  if (figures.preference > 0) {
    parts.push(`The model has place ${figures.preference + 1} in the order of preference.`);
  }
  const assumed: (keyof typeof ASSUMED)[] = [];
  for (const one of figures.assumed) {
    if (one === 'speed-seen' || one === 'speed-elsewhere') {
      parts.push(
        `${host} does not report the speed of the model, so the times of ${one === 'speed-seen' ? 'its earlier answers to this machine' : 'answers of other hosts'} are taken (${rounded(figures.timeRatio * 100)} % of the assumed ones).`,
      );
    } else assumed.push(one);
  }
  if (assumed.length > 0) {
    parts.push(
      `${host} does not report ${assumed.map((one) => ASSUMED[one]).join(' and ')}, so usual figures are assumed.`,
    );
  }
  return parts.join(' ');
}

const ASSUMED: Readonly<Record<Exclude<AssumedFigure, 'speed-seen' | 'speed-elsewhere'>, string>> =
  {
    speed: 'the speed of the model',
    'load-time': 'the time of a load',
    requests: 'its requests',
  };

function describeStep(
  { instanceIdentifier, step }: PlacementAlternative,
  { ahead, parallel }: PlacementFigures,
): string {
  if (instanceIdentifier !== null) {
    return ahead === 0
      ? 'is loaded and idle'
      : `is loaded and has ${count(ahead, 'request')}, of which it answers ${parallel} at the same time`;
  }
  if (ahead > 0)
    return `is being loaded, and ${count(ahead, 'request')} of this gateway ${ahead === 1 ? 'waits' : 'wait'} for it`;
  if (step === 'fits') return 'fits there now and must be loaded';
  if (step === 'after-eviction') {
    return 'must be loaded. It fits once idle models are unloaded, or the host does not know whether it fits';
  }
  return 'must be loaded';
}

function describeWait({ queueMs, loadMs, promptMs, waitMs, warm }: PlacementFigures): string {
  const hopMs = waitMs - queueMs - loadMs - promptMs;
  const parts: string[] = [];
  if (queueMs > 0) parts.push(`queue ${seconds(queueMs)}`);
  if (loadMs > 0) parts.push(`load ${seconds(loadMs)}`);
  parts.push(
    `prompt ${seconds(promptMs)}${warm ? ', because the start of the conversation is expected to be cached there' : ''}`,
  );
  if (hopMs >= 1) parts.push(`network ${seconds(hopMs)}`);
  return parts.join('; ');
}

function describeSpeed({ tokensPerSecond }: PlacementFigures): string {
  return tokensPerSecond === null
    ? ''
    : `, at ${rounded(tokensPerSecond)} tokens a second where the host does nothing else`;
}

/** Groups the hosts by reason, names the first hosts of each group, and counts the rest. */
function describeNotTaken({ notTaken }: Placement): string[] {
  const byCode = new Map<NotTakenReason['code'], HostNotTaken[]>();
  for (const one of notTaken) {
    const same = byCode.get(one.reason.code);
    if (same === undefined) byCode.set(one.reason.code, [one]);
    else same.push(one);
  }
  return [...byCode.values()].flatMap((same) => {
    const listed = same
      .slice(0, HOSTS_LISTED)
      .map(({ host, reason }) => `${host}: ${describeReason(reason)}`);
    const left = same.length - listed.length;
    return left === 0
      ? listed
      : [...listed, `${count(left, 'more host')} for the same kind of reason.`];
  });
}

/** Why a host does not get a request, as one sentence that follows the name of the host and a colon. */
export function describeReason(reason: NotTakenReason): string {
  switch (reason.code) {
    case 'NOT_USABLE':
      return reason.silentMs === null
        ? 'only its stored state is known. Nothing was heard from it yet.'
        : `nothing new was heard from it for ${seconds(reason.silentMs)}.`;
    case 'RESTARTED':
      return 'it has restarted, and its new state has not arrived yet.';
    case 'STOPPING':
      return 'it takes no requests, because it stops.';
    case 'NO_ADDRESS':
      return 'it serves no other host.';
    case 'CHAIN_STAYS':
      return reason.chain === null
        ? 'only requests of certain chains may leave this machine, and this request has no chain.'
        : `requests of the chain '${reason.chain}' may not leave this machine.`;
    case 'LABEL_DIFFERS':
      return `its label '${reason.label}' is ${reason.found === null ? 'not set' : `'${reason.found}'`}, and '${reason.wanted}' is wanted.`;
    case 'MODEL_MISSING':
      return `none of its ${count(reason.models, 'model')} is wanted.`;
    case 'TIER_DIFFERS':
      return `${reason.modelKey} is of the tier '${reason.tier}', which is not wanted.`;
    case 'CAPABILITY_MISSING':
      return `${reason.modelKey} does not have the capability '${reason.capability}'.`;
    case 'CONTEXT_TOO_SHORT':
      return `the context of ${reason.modelKey} is ${
        reason.contextLengthTokens === null
          ? 'not known'
          : count(reason.contextLengthTokens, 'token')
      }, and ${count(reason.wantedTokens, 'token')} are needed.`;
    case 'INSTANCE_MISSING':
      return `no resident of ${reason.modelKey} has the wanted identifier.`;
    case 'RESIDENT_FAILED':
      return `${reason.instanceIdentifier} has just failed this request.`;
    case 'NOT_RESIDENT':
      return `${reason.modelKey} is not loaded by Mai, and nothing is loaded there for this request.`;
    case 'DOES_NOT_FIT':
      return `${reason.modelKey}${reason.sizeBytes === null ? '' : ` (${gib(reason.sizeBytes)})`} does not fit, even if idle models were unloaded.`;
    case 'MEMORY_PRESSURE':
      return `${reason.modelKey} would have to be loaded, and memory is at ${Math.round(reason.pressureRatio * 100)} % of its limit.`;
    case 'GUESTS_MAY_NOT_LOAD':
      return `${reason.modelKey} would have to be loaded, and other hosts may load nothing there now.`;
    case 'GUEST_SHARE_EXCEEDED':
      return `${reason.modelKey} has ${gib(reason.sizeBytes)}, and other hosts may take ${gib(reason.allowedBytes)} there.`;
    case 'RANKED_BEHIND':
      return describeRank(reason);
  }
}

function describeRank(reason: Extract<NotTakenReason, { code: 'RANKED_BEHIND' }>): string {
  const { modelKey, by, delayMs, bestDelayMs, penaltyMs, ahead, tokensPerSecond } = reason;
  if (by === 'delay') {
    // Records of older versions have no price.
    const price =
      penaltyMs > 0
        ? `, of which ${seconds(penaltyMs)} are the price of a load or of a smaller model,`
        : '';
    return `${modelKey} there costs ${seconds(delayMs - bestDelayMs)} more (${delay(delayMs)}${price} against ${delay(bestDelayMs)}).`;
  }
  const speed =
    tokensPerSecond === null ? 'an unknown speed' : `${rounded(tokensPerSecond)} tokens a second`;
  return `${modelKey} there ranks behind by ${CRITERIA[by]} (${speed}, ${count(ahead, 'request')} ahead).`;
}

const CRITERIA: Readonly<Record<RankingCriterion, string>> = {
  failures: 'the failures of two other hosts, after which the own host is asked first',
  'speed-floor': 'the speed that the policy asks for',
  delay: 'its delay',
  step: 'the work that it takes',
  speed: 'its speed',
  queue: 'its queue',
  'warm-prefix': 'the cached start of the conversation',
  'own-host': 'the network, because this host serves as well',
  name: 'its name alone, because everything else is equal',
};

/** Below 0, the answer ends sooner than at an idle host that reads the whole prompt. */
function delay(ms: number): string {
  return ms <= -0.5 ? `${seconds(-ms)} saved by the cached start of the conversation` : seconds(ms);
}

function seconds(ms: number): string {
  if (Math.abs(ms) < 100) return `${Math.round(ms)} ms`;
  const rest = Math.abs(ms) < 9_950 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000));
  return `${rest} s`;
}

function rounded(number: number): string {
  return number < 9.95 ? number.toFixed(1) : String(Math.round(number));
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function count(number: number, noun: string): string {
  const digits = String(number).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${digits} ${noun}${number === 1 ? '' : 's'}`;
}
