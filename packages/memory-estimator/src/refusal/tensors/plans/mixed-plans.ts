import { ATTENTION_ROWS, NEXT_TOKEN_ROWS, type Row } from './mixed-rows.js';
import { STATE_ROWS } from './state-rows.js';

/**
 * The tensors that llama.cpp loads for the architectures whose layers differ: dense and with experts, with attention and with a
 * recurrent state. Found like the plans of layer-plans.ts, with build 10257 of llama.cpp (llama.node 1.7.15).
 */
export interface MixedPlan {
  readonly layer: Parts;
  /** A layer has the parts of one alternative of each choice. */
  readonly choices: readonly Choice[];
  /** Tensors outside of layers, besides token_embd and output_norm. A `*` stands for the number of each layer. */
  readonly shared: Parts;
  /** Parts of a layer for multi-token prediction. Empty where they are not known. */
  readonly nextToken: readonly string[];
}

/** Names of tensors: in a layer, the part after `blk.N.`; without `.weight`. */
export interface Parts {
  readonly required: readonly string[];
  /** Loaded if they are there. `*`: which tensors are loaded is not known. */
  readonly optional: readonly string[];
}

export interface Choice {
  /**
   * The layers that take one of `alternatives`: the leading dense layers, recurrent layers, layers that use the keys of an
   * earlier layer, the first layer. `any`: all layers.
   */
  readonly layers: 'leading' | 'recurrent' | 'borrowing' | 'layer-0' | 'any';
  readonly alternatives: readonly Parts[];
  /** The alternatives of the other layers. */
  readonly others: readonly Parts[];
}

/** The plans that were asked for, because making all plans would delay each start. */
const plans = new Map<string, MixedPlan | null>();

/** The plan of an architecture whose layers differ; `null` for any other architecture. */
export function mixedPlanOf(architecture: string): MixedPlan | null {
  const known = plans.get(architecture);
  if (known !== undefined) return known;
  const isFor = (names: string): boolean => names.split(' ').includes(architecture);
  const row = [...ATTENTION_ROWS, ...STATE_ROWS].find(([, , , names]) => isFor(names));
  const [nextToken = ''] = NEXT_TOKEN_ROWS.find(([, names]) => isFor(names)) ?? [];
  const plan = row === undefined ? null : makePlan(row, nextToken);
  plans.set(architecture, plan);
  return plan;
}

function makePlan([layer, choices, shared]: Row, nextToken: string): MixedPlan {
  return {
    layer: partsOf(layer),
    choices: choices.map(choiceOf),
    shared: partsOf(shared),
    nextToken: nextToken === '' ? [] : nextToken.split(' '),
  };
}

function choiceOf(text: string): Choice {
  const [layers = '', rest = ''] = text.split(/: ?/);
  const [alternatives = '', others = ''] = rest.split('||');
  const listed = (list: string): readonly Parts[] => list.split('|').map(partsOf);
  return { layers: layersOf(layers), alternatives: listed(alternatives), others: listed(others) };
}

function layersOf(text: string): Choice['layers'] {
  return text === 'leading' || text === 'recurrent' || text === 'borrowing' || text === 'layer-0'
    ? text
    : 'any';
}

function partsOf(text: string): Parts {
  const parts = text.split(' ').filter((part) => part !== '');
  return {
    required: parts.filter((part) => !part.endsWith('?')),
    optional: parts.filter((part) => part.endsWith('?')).map((part) => part.slice(0, -1)),
  };
}
