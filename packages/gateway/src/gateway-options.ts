import type { KeyStore } from './access/keys/key-store.js';
import type { PeerRules } from './access/peer-access.js';
import type { Clock } from './ports/clock.js';
import type { SchedulerLimits } from './queue/limits.js';
import type { InferenceLimits } from './server/inference/inference-parts.js';

/** Options of a gateway. Each has a default. */
export interface GatewayOptions {
  /** Address that the gateway listens on. Any other than loopback needs keys. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /**
   * Makes this the gateway for the other hosts of a fleet: it serves inference only, to clients with a listed certificate
   * and a lease, and takes no API keys. It must listen with `tls.clientCa`. Default: null.
   */
  readonly peers?: PeerRules | null | undefined;
  /** The API keys in force. Default: none, which opens the gateway to every program of this machine. */
  readonly keys?: KeyStore | undefined;
  /** Host names beside loopback by which clients may reach the gateway: `name`, or `name:port`. Default: none. */
  readonly allowHosts?: readonly string[] | undefined;
  /** Origins of other sites and desktop apps whose pages may use the gateway. Default: none. */
  readonly allowOrigins?: readonly string[] | undefined;
  /** Folder of the page's built files. Default: no page. */
  readonly pageFolder?: string | null | undefined;
  /** Bounds of a request that differ from `DEFAULT_INFERENCE_LIMITS`. */
  readonly limits?: Partial<InferenceLimits> | undefined;
  /** Bounds of the queue that differ from `DEFAULT_SCHEDULER_LIMITS`. */
  readonly queue?: Partial<SchedulerLimits> | undefined;
  /** Version for the metrics. Default `unknown`. */
  readonly version?: string | undefined;
  /** Default: the system's clock. */
  readonly clock?: Clock | undefined;
  /** Called with each bug that ended a request. Default: a warning of the process. */
  readonly onError?: ((error: unknown) => void) | undefined;
}
