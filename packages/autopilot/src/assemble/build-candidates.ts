import {
  charge,
  hasOwnMemory,
  totalBytesOf,
  type Footprint,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { optionWhenEmpty, type Candidate, type LoadOption } from '@mai/selector';
import { callOptions } from '../ports/call-options.js';
import type { CandidateProfile, CatalogReading } from '../ports/catalog-port.js';
import { NO_ESTIMATE, type Estimate, type EstimatorPort } from '../ports/estimator-port.js';
import { configuredFootprint } from './configured-footprint.js';
import {
  buildLoadSteps,
  configuredStep,
  preferredContextTokens,
  type LoadStep,
} from './load-steps.js';
import { expandedGroups, orderGroups } from './expanded-groups.js';
import { mapConcurrently } from './map-concurrently.js';
import type { CompleteRequest } from '../request/selection-request.js';

/**
 * The most estimates at once. Estimates read files or ask LM Studio. More of them would wait for the same disk.
 */
const ESTIMATES_AT_ONCE = 4;

/** A load option with the list of its trade-offs. */
export interface AssembledLoadOption extends LoadOption, LoadStep {}

/** A candidate with its load options, the best first. */
export interface AssembledCandidate extends Candidate {
  readonly loadOptions: readonly AssembledLoadOption[];
  /** Idle time after which the runtime may unload the model; null keeps it loaded. */
  readonly ttlMs: number | null;
}

interface Sources {
  readonly estimator: EstimatorPort;
  readonly catalog: CatalogReading;
  readonly resources: Resources;
  readonly request: CompleteRequest;
  readonly signal: AbortSignal | null;
  /**
   * Finds the number of candidates whose cheaper load options the decision tries. Takes all candidates, each with
   * only its first option. Null: all candidates.
   */
  readonly countTried: ((candidates: readonly AssembledCandidate[]) => Promise<number>) | null;
}

/**
 * Builds the candidates of the chain, with a footprint for every load option that the decision may try. Models that
 * one entry of the chain was expanded to are in the order of their value on this machine.
 */
export async function buildCandidates(sources: Sources): Promise<AssembledCandidate[]> {
  const profiles = await withSmallerQuantizations(sources);
  const { request, resources } = sources;
  const hasDedicatedGpu = resources.gpus.some((gpu) => hasOwnMemory(gpu, resources));
  const { requirement } = request;
  const ask = (questions: readonly StepQuestion[]) =>
    mapConcurrently(questions, ESTIMATES_AT_ONCE, (question) => estimateOption(sources, question));
  // The estimate of the first option says whether the model has experts. The other options depend on that.
  const firsts = await ask(
    profiles.map((profile, index) => ({
      index,
      profile,
      step: configuredStep(profile, requirement),
    })),
  );
  const withOptions = (estimated: readonly EstimatedOption[]) =>
    profiles.map((profile, index) => candidateOf(profile, index, estimated, sources));
  const askFurther = (indexes: readonly number[]) =>
    ask(
      indexes.flatMap((index) => {
        const profile = profiles[index];
        // A model that is not on disk cannot be loaded, and most of the time cannot be estimated.
        if (profile === undefined || !request.tradeOffs || !profile.downloaded) return [];
        const hasExperts = firsts[index]?.hasExperts ?? null;
        const steps = buildLoadSteps(profile, requirement, hasDedicatedGpu, hasExperts);
        return steps.slice(1).map((step) => ({ index, profile, step }));
      }),
    );
  const groups = expandedGroups(profiles);
  const machine = { resources, policy: sources.catalog.policy };
  const asConfigured = withOptions(firsts);
  // The value of a model that does not fit as configured is that of a cheaper load option.
  const early = groups.flat().filter((index) => {
    const candidate = asConfigured[index];
    return candidate !== undefined && optionWhenEmpty(candidate, machine) === null;
  });
  const ranked = [...firsts, ...(await askFurther(early))];
  const order = orderGroups(withOptions(ranked), groups, machine);
  const inOrder = (candidates: readonly AssembledCandidate[]) =>
    order.flatMap((index) => candidates[index] ?? []);
  const tried = (await sources.countTried?.(inOrder(asConfigured))) ?? profiles.length;
  const others = await askFurther(order.slice(0, tried).filter((index) => !early.includes(index)));
  return inOrder(withOptions([...ranked, ...others]));
}

function candidateOf(
  profile: CandidateProfile,
  index: number,
  estimated: readonly EstimatedOption[],
  { resources, catalog, request }: Sources,
): AssembledCandidate {
  return {
    modelKey: profile.modelKey,
    displayName: profile.displayName,
    tier: profile.tier,
    capabilities: profile.capabilities,
    downloaded: profile.downloaded,
    refusal: profile.refusal,
    maxContextLengthTokens: profile.maxContextLengthTokens,
    loadOptions: withoutUselessOptions(
      withoutRefused(estimated.filter((one) => one.index === index)),
      { resources, policy: catalog.policy },
    ),
    coolingDownUntilMs: request.coolingDownUntilMs[profile.modelKey] ?? null,
    observedGrowth: [],
    expandedFrom: profile.expandedFrom,
    ttlMs: profile.ttlMs,
  };
}

interface StepQuestion {
  readonly index: number;
  readonly profile: CandidateProfile;
  readonly step: LoadStep;
}

interface EstimatedOption {
  readonly index: number;
  readonly refused: boolean;
  readonly hasExperts: boolean | null;
  readonly option: AssembledLoadOption;
}

async function estimateOption(
  sources: Sources,
  { index, profile, step }: StepQuestion,
): Promise<EstimatedOption> {
  const optionOf = ({ loadConfig }: LoadStep, answer: Estimate): LoadOption => {
    const { footprint, guardrails } = answer;
    const quality = answer.qualityFor(capabilitiesWanted(sources));
    return { loadConfig, footprint, guardrails, speed: answer.speedNow(), quality };
  };
  const answer = await estimateStep(sources, profile, step);
  const { refused, hasExperts } = answer;
  const option = { ...step, ...optionOf(step, answer) };
  const contextLengthTokens = preferredContextTokens(profile, sources.request.requirement);
  if (contextLengthTokens === null) return { index, refused, hasExperts, option };
  const longer = { ...step, loadConfig: { ...step.loadConfig, contextLengthTokens } };
  const answerLonger = await estimateStep(sources, profile, longer);
  // The configured memory of a model does not say what a longer context takes.
  const isUnknown = answerLonger.refused || answerLonger.footprint?.source === 'configured';
  const roomier = isUnknown ? null : optionOf(longer, answerLonger);
  return { index, refused, hasExperts, option: { ...option, roomier } };
}

/** The capabilities that the models of a decision are compared for. */
function capabilitiesWanted({ catalog, request }: Sources): readonly string[] {
  const { capability } = catalog;
  const { capabilities } = request.requirement;
  return capability === null ? capabilities : [...capabilities, capability];
}

async function estimateStep(
  { estimator, resources, request, signal }: Sources,
  profile: CandidateProfile,
  { loadConfig }: LoadStep,
): Promise<Estimate> {
  const { modelKey, downloaded } = profile;
  const { deviceIdentifier } = request;
  const question = { modelKey, loadConfig, resources, deviceIdentifier };
  const estimate: Estimate = downloaded
    ? await estimator.estimate(question, callOptions(signal, null))
    : NO_ESTIMATE;
  if (estimate.footprint !== null) return estimate;
  const footprint = configuredFootprint(profile, loadConfig, resources, estimate.growthBySize);
  return { ...estimate, footprint };
}

/**
 * Drops options that the engine refuses. If the engine refuses all options, the first stays, so that the load
 * fails with the engine's reason.
 */
function withoutRefused(
  estimated: readonly { readonly option: AssembledLoadOption; readonly refused: boolean }[],
): readonly AssembledLoadOption[] {
  const loadable = estimated.filter(({ refused }) => !refused);
  return (loadable.length > 0 ? loadable : estimated.slice(0, 1)).map(({ option }) => option);
}

/** The devices that options are charged to, and the policy for the charge of growth. */
interface Machine {
  readonly resources: Resources;
  readonly policy: Pick<SelectionPolicy, 'growth'>;
}

/** Drops options that reduce no pool's charge compared with the option before. The first always stays. */
function withoutUselessOptions(
  options: readonly AssembledLoadOption[],
  machine: Machine,
): readonly AssembledLoadOption[] {
  const kept: AssembledLoadOption[] = [];
  for (const option of options) {
    const last = kept.at(-1);
    if (last === undefined || isCheaper(option.footprint, last.footprint, machine)) {
      kept.push(option);
    }
  }
  // If no kept option has experts on the CPU as its first trade-off, the model has no experts. The trade-offs
  // of the offload options then do not mention experts.
  const hasExperts = kept.some(({ tradeOffs }) => tradeOffs[0]?.kind === 'experts-on-cpu');
  return hasExperts
    ? kept
    : kept.map((option) => ({
        ...option,
        tradeOffs: option.tradeOffs.filter(({ kind }) => kind !== 'experts-on-cpu'),
      }));
}

function isCheaper(
  footprint: Footprint | null,
  than: Footprint | null,
  { resources, policy }: Machine,
): boolean {
  if (footprint === null || than === null) return false;
  const less = charge(footprint, resources, 'expected', policy.growth).charge;
  const more = charge(than, resources, 'expected', policy.growth).charge;
  return [...more].some(([pool, bytes]) => (less.get(pool) ?? 0) < bytes);
}

/**
 * Inserts the smaller quantizations of a model right after the model, largest first, unless the chain names
 * them.
 */
async function withSmallerQuantizations(sources: Sources): Promise<CandidateProfile[]> {
  const { catalog, request } = sources;
  const named = new Set(catalog.chain.map((profile) => profile.modelKey));
  const extended: CandidateProfile[] = [];
  for (const profile of catalog.chain) {
    extended.push(profile);
    if (!request.tradeOffs || !profile.downloaded) continue;
    const others = (catalog.variants[profile.modelKey] ?? []).filter((key) => !named.has(key));
    if (others.length === 0) continue;
    const loadConfig = {
      ...profile.loadConfig,
      contextLengthTokens: profile.contextLengthTokens,
    };
    const [own, ...sized] = await mapConcurrently(
      [profile, ...others.map((modelKey) => ({ ...profile, modelKey }))],
      ESTIMATES_AT_ONCE,
      async (one) => {
        const { footprint } = await sources.estimator.estimate(
          {
            modelKey: one.modelKey,
            loadConfig,
            resources: sources.resources,
            deviceIdentifier: request.deviceIdentifier,
          },
          callOptions(sources.signal, null),
        );
        return { profile: one, bytes: footprint === null ? null : totalBytesOf(footprint) };
      },
    );
    const ownBytes = own?.bytes ?? 0;
    const smaller = sized
      .flatMap(({ profile: one, bytes }) => (bytes === null ? [] : [{ profile: one, bytes }]))
      .filter(({ bytes }) => bytes < ownBytes)
      .sort((one, other) => other.bytes - one.bytes);
    extended.push(...smaller.map((one) => one.profile));
  }
  return extended;
}
