/**
 * Hash of a conversation at a host. The conversation belongs to the host with the highest hash (rendezvous hashing,
 * Thaler and Ravishankar 1998): when a host comes or goes, only the conversations of that host move.
 *
 * FNV-1a over the UTF-16 code units, then the finalizer of MurmurHash3, whose bits depend on all bits of its input.
 *
 * @param prefixHash - `hashOf` of the conversation's start.
 * @returns an unsigned integer of 32 bits.
 */
export function rendezvousHash(prefixHash: number, host: string): number {
  let mixed = hashOf(host, prefixHash);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a with 32 bits over the UTF-16 code units of a text. */
export function hashOf(text: string, state = FNV_OFFSET): number {
  let hash = state;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  return hash;
}
