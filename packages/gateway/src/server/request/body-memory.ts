import { RequestRefusal } from './request-refusal.js';

const MIB = 1_048_576;
/** Leaves room for others where one client sends slowly, or much. */
const CLIENT_RATIO = 3 / 4;
/** A body is kept for as long as its request waits or runs, and no request says how long that will be. */
const RETRY_SECONDS = 5;

/**
 * The memory that the bodies of all requests take together, from their first bytes until their requests end. A body is kept whole: it
 * may have to be sent again to another resident. Without a common bound, as many clients as there are connections could each send the
 * largest body, and the process would run out of memory.
 */
export class BodyMemory {
  readonly #maxBytes: number;
  readonly #maxBytesOfClient: number;
  readonly #bytesOfClient = new Map<string, number>();
  #bytes = 0;

  /**
   * @param maxBytes - bound for all bodies together. Never below `largestBodyBytes`, so that each allowed body has room while no other
   *   is there
   * @param largestBodyBytes - bound for one body
   * @param clientRatio - the part that one client may take, 0 to 1. Default 3/4
   */
  constructor(maxBytes: number, largestBodyBytes: number, clientRatio = CLIENT_RATIO) {
    this.#maxBytes = Math.max(maxBytes, largestBodyBytes);
    this.#maxBytesOfClient = Math.max(Math.floor(maxBytes * clientRatio), largestBodyBytes);
  }

  /** Begins a request of a client. Takes no memory yet. */
  begin(client: string): BodyShare {
    return new BodyShare(this, client);
  }

  /** Why further bytes of a client are refused; null where there is room. */
  refusalOf(client: string, bytes: number): RequestRefusal | null {
    if (this.#bytes + bytes > this.#maxBytes) {
      return full(503, `The requests of all clients take ${sizeText(this.#maxBytes)} of memory`);
    }
    if (this.#of(client) + bytes > this.#maxBytesOfClient) {
      const most = sizeText(this.#maxBytesOfClient);
      return full(429, `The requests of this client take ${most} of memory`);
    }
    return null;
  }

  take(client: string, bytes: number): void {
    this.#bytes += bytes;
    this.#bytesOfClient.set(client, this.#of(client) + bytes);
  }

  give(client: string, bytes: number): void {
    this.#bytes -= bytes;
    const rest = this.#of(client) - bytes;
    if (rest === 0) this.#bytesOfClient.delete(client);
    else this.#bytesOfClient.set(client, rest);
  }

  #of(client: string): number {
    return this.#bytesOfClient.get(client) ?? 0;
  }
}

/** The part of one request. */
export class BodyShare {
  readonly #memory: BodyMemory;
  readonly #client: string;
  #bytes = 0;

  constructor(memory: BodyMemory, client: string) {
    this.#memory = memory;
    this.#client = client;
  }

  /** Why further bytes would be refused; null where there is room. Takes nothing. */
  refusalOf(bytes: number): RequestRefusal | null {
    return this.#memory.refusalOf(this.#client, bytes);
  }

  /** Takes further bytes, unless there is no room: then it returns the refusal. */
  add(bytes: number): RequestRefusal | null {
    const refusal = this.refusalOf(bytes);
    if (refusal !== null) return refusal;
    this.#bytes += bytes;
    this.#memory.take(this.#client, bytes);
    return null;
  }

  /** The request has ended: its bytes are free. May be called more than once. */
  end(): void {
    if (this.#bytes === 0) return;
    this.#memory.give(this.#client, this.#bytes);
    this.#bytes = 0;
  }
}

function full(status: number, what: string): RequestRefusal {
  return new RequestRefusal(
    'queue_full',
    status,
    `${what}, which is the limit. Send the request again once others have ended.`,
    { retryAfterSeconds: RETRY_SECONDS },
  );
}

/** A bound for bytes as text: `64 MiB`, `512 KiB`. */
export function sizeText(bytes: number): string {
  return bytes >= MIB ? `${Math.floor(bytes / MIB)} MiB` : `${Math.floor(bytes / 1024)} KiB`;
}
