import type { HttpEndpoint } from '../profile/http-api.js';
import type { LoadDefaults } from '../profile/load-defaults.js';
import type { WorldMachine } from './world-machine.js';
import type { WorldModel } from './world-model.js';

/** Another machine, which is connected through LM Link. */
export interface WorldDevice {
  /** The identifier that a load uses to name the device. */
  readonly deviceIdentifier: string;
  /** The display name. */
  readonly deviceName: string;
  /** The models of a disconnected device are not listed. */
  readonly status: 'connected' | 'disconnected';
  /** The hardware of the device. */
  readonly machine: WorldMachine;
  /** The downloaded models. */
  readonly models: readonly WorldModel[];
}

/**
 * LM Studio's guardrails, which refuse loads that would overload the machine. The real rule is
 * not published. The simulated rule adds the estimate to the memory in use, and requires that a
 * share of the capacity stays free.
 */
export interface WorldGuardrails {
  /**
   * The share that must stay free: `low` 0, `medium` 5 %, `high` 15 %. `off`: every load is allowed. `custom`:
   * residents and load together may take `customThresholdBytes`.
   */
  readonly mode: 'off' | 'low' | 'medium' | 'high' | 'custom';
  /** For `custom`; `null`: no limit. */
  readonly customThresholdBytes: number | null;
  /** Whether the memory of residents counts as in use. */
  readonly countsResidents: boolean;
  /** Whether RAM that other programs use counts as in use. */
  readonly countsOthersRam: boolean;
  /** Whether VRAM that other programs use counts as in use. */
  readonly countsOthersVram: boolean;
}

/** Just-in-time loading: `getOrLoad`, and requests over HTTP. */
export interface WorldJustInTime {
  /** Whether a request over HTTP loads its model. `getOrLoad` always does. Default: true. */
  readonly enabled: boolean;
  /** The time to live of a model that was loaded just in time. Default: an hour. */
  readonly ttlMs: number;
  /** Whether a just-in-time load first unloads the models of earlier just-in-time loads. Default: true. */
  readonly autoEvict: boolean;
}

/** The form of an API token: its identifier and its passkey. */
export const API_TOKEN = /^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/;

/** The whole simulated world. */
export interface World {
  /** LM Studio's version; `null`: that of the profile. */
  readonly version: string | null;
  /** LM Studio's build; `null`: that of the profile. */
  readonly build: number | null;
  /** Whether LM Studio is the headless daemon, not the app. */
  readonly isDaemon: boolean;
  /** The machine that LM Studio runs on. */
  readonly machine: WorldMachine;
  /** The downloaded models. */
  readonly models: readonly WorldModel[];
  /** The machines that are connected through LM Link. */
  readonly devices: readonly WorldDevice[];
  /** This machine's identifier in LM Link; `null`: not logged in. */
  readonly deviceIdentifier: string | null;
  /** The device for loads that name no device; `null`: this machine. */
  readonly preferredDeviceIdentifier: string | null;
  /** The known API tokens, `sk-lm-<8>:<20>`. */
  readonly tokens: readonly string[];
  /** Whether anonymous clients are refused. */
  readonly requireToken: boolean;
  /** The rule that refuses loads. */
  readonly guardrails: WorldGuardrails;
  /** The settings of just-in-time loading. */
  readonly justInTime: WorldJustInTime;
  /**
   * The context length of a load that does not set it, at most the model's maximum. `null`: the profile's length.
   * LM Studio reads it from `defaultContextLength` in `settings.json`.
   */
  readonly defaultContextLength: number | null;
  /** Load settings that differ from those of the profile. */
  readonly loadDefaults: Partial<LoadDefaults>;
  /** Continues or ends a load whose client has disconnected. LM Studio's behaviour is not known. */
  readonly loadAfterDisconnect: 'continue' | 'cancel';
  /**
   * Continues or ends a load that its client has cancelled. `continue`: the model is loaded in spite of the
   * cancel. It is not known when LM Studio does that.
   */
  readonly loadAfterCancel: 'continue' | 'cancel';
  /** Time from a cancel to its confirmation, at speed 1. Default: 50 ms. LM Studio's time is not known. */
  readonly cancelConfirmationMs: number;
  /**
   * The key that an instance of a hub model reports: the model's key with `selectedVariant`, or the variant's key.
   * It is not known which of the two LM Studio reports.
   */
  readonly instanceKey: 'model' | 'variant';
  /**
   * Whether a load over WebSocket accepts a variant's key (`KEY@variant`). It is not known whether LM Studio
   * does. REST refuses these keys (lmstudio-bug-tracker #1462).
   */
  readonly variantKeysLoad: boolean;
  /**
   * The rule for guest clients. `lm-studio`: a passkey is forgotten with the last connection of its client.
   * `first-come`: the open-source authenticator, which refuses an identifier forever after its last connection
   * has closed.
   */
  readonly authenticator: 'lm-studio' | 'first-come';
  /** The presets that a prediction may name. */
  readonly presets: readonly WorldPreset[];
  /**
   * Whether the HTTP server (REST and the OpenAI-compatible API) is on. While it is off, LM Studio's app still
   * answers WebSockets and discovery on ports of its own. Clients switch it with `startHttpServer` and
   * `stopHttpServer`.
   */
  readonly httpServer: boolean;
  /** Endpoints of the HTTP server that are there, or missing, in spite of the profile. */
  readonly httpEndpoints: Readonly<Partial<Record<HttpEndpoint, boolean>>>;
  /** The answers of models over HTTP. */
  readonly answers: WorldAnswers;
}

/** The answers of models over HTTP. The same request gets the same answer. */
export interface WorldAnswers {
  /** The length of a text in tokens; `null`: the fixed text of 12 tokens. A JSON answer has the length that it needs. */
  readonly textTokens: number | null;
  /** The length of the reasoning before the answer in tokens. Default: 0, no reasoning. */
  readonly reasoningTokens: number;
  /**
   * Whether a model calls a tool where it may choose. It calls the first tool once, and answers with a text when it
   * has the result. A request that requires a call always gets a call. Default: false.
   */
  readonly callTools: boolean;
}

/** A preset of prediction settings. */
export interface WorldPreset {
  /** The identifier that a prediction names. */
  readonly identifier: string;
  /** The name that the app shows. */
  readonly name: string;
}
