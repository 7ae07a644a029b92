import type { World, WorldGuardrails, WorldJustInTime, WorldAnswers } from './world.js';
import type { WorldGpu, WorldMachine } from './world-machine.js';
import type { WorldModel, WorldModelGeometry } from './world-model.js';

/** A GPU in a world file. Defaults: a discrete CUDA card that no other program uses. */
export type WorldGpuInput = {
  readonly [K in Exclude<keyof WorldGpu, 'name' | 'totalBytes'>]?: WorldGpu[K];
} & Pick<WorldGpu, 'name' | 'totalBytes'>;

/** A machine in a world file. Defaults: the machine of `desktop`. */
export type WorldMachineInput = {
  readonly [K in Exclude<keyof WorldMachine, 'gpus'>]?: WorldMachine[K];
} & { readonly gpus?: readonly WorldGpuInput[] };

/** A model in a world file. Only key and size are required. */
export type WorldModelInput = {
  readonly [K in Exclude<keyof WorldModel, 'modelKey' | 'sizeBytes' | 'geometry'>]?: WorldModel[K];
} & {
  readonly modelKey: string;
  readonly sizeBytes: number;
  readonly geometry?: { readonly [K in keyof WorldModelGeometry]?: WorldModelGeometry[K] };
};

/** An LM Link device in a world file. */
export interface WorldDeviceInput {
  /** The identifier that a load uses to name the device. */
  readonly deviceIdentifier: string;
  /** The display name. Default: the identifier. */
  readonly deviceName?: string;
  /** The models of a disconnected device are not listed. Default: `connected`. */
  readonly status?: 'connected' | 'disconnected';
  /** The hardware of the device. Default: the machine of `desktop`. */
  readonly machine?: WorldMachineInput;
  /** The downloaded models. Default: none. */
  readonly models?: readonly WorldModelInput[];
}

/** A world file. Every field has a default. Unknown keys are errors. */
export type WorldInput = {
  readonly [
    K in Exclude<
      keyof World,
      'machine' | 'models' | 'devices' | 'guardrails' | 'justInTime' | 'answers'
    >
  ]?: World[K];
} & {
  readonly machine?: WorldMachineInput;
  readonly models?: readonly WorldModelInput[];
  readonly devices?: readonly WorldDeviceInput[];
  readonly guardrails?: { readonly [K in keyof WorldGuardrails]?: WorldGuardrails[K] };
  readonly justInTime?: { readonly [K in keyof WorldJustInTime]?: WorldJustInTime[K] };
  readonly answers?: { readonly [K in keyof WorldAnswers]?: WorldAnswers[K] };
};
