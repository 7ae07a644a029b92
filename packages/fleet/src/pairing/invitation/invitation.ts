import { createHash } from 'node:crypto';

import { FleetError } from '../../fleet-error.js';
import { isAddress } from '../names.js';

/** Bytes of the secret: 128 bits cannot be guessed. */
export const SECRET_BYTES = 16;
const FINGERPRINT_BYTES = 32;
const PORT_BYTES = 2;
const CHECKSUM_BYTES = 4;

/** Starts each invitation. The digit is the version of the format. */
const PREFIX = 'mai1-';

/**
 * The facts for a joiner: where to connect, how to recognise the inviting machine, and how to prove that it was
 * invited.
 */
export interface Invitation {
  /** Address of the inviting host: an IP address or a DNS name. */
  readonly address: string;
  /** Port of its join server. */
  readonly port: number;
  /** 16 random bytes, for one use. */
  readonly secret: Buffer;
  /** SHA-256 of the authority's certificate, in hexadecimal digits. */
  readonly authorityFingerprint: string;
}

/**
 * Text of an invitation, in one line: `mai1-` and, in base64url, the secret (16 bytes), the fingerprint (32), the port (2),
 * the address, and a checksum (the first 4 bytes of the SHA-256 of what stands before it).
 */
export function formatInvitation(invitation: Invitation): string {
  const port = Buffer.alloc(PORT_BYTES);
  port.writeUInt16BE(invitation.port);
  const content = Buffer.concat([
    invitation.secret,
    Buffer.from(invitation.authorityFingerprint, 'hex'),
    port,
    Buffer.from(invitation.address, 'ascii'),
  ]);
  return PREFIX + Buffer.concat([content, checksum(content)]).toString('base64url');
}

/**
 * Reads the text of an invitation. Spaces and line breaks in it are ignored, because terminals and messengers add them. Throws
 * `INVITATION_REFUSED` that says whether it was cut off, has a typing error, or belongs to a newer version.
 */
export function parseInvitation(text: string): Invitation {
  const compact = text.replace(/\s+/g, '');
  if (!compact.startsWith(PREFIX)) {
    throw unreadable(
      /^mai\d+-/.test(compact)
        ? 'It was made by another version of Mai. Use the same version on both machines.'
        : `An invitation is one line that starts with ${PREFIX}, and \`mai fleet invite\` prints it.`,
    );
  }
  const encoded = compact.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  const addressAt = SECRET_BYTES + FINGERPRINT_BYTES + PORT_BYTES;
  if (bytes.length <= addressAt + CHECKSUM_BYTES) {
    throw unreadable('It is too short. Copy all of it.');
  }
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  // Buffer ignores characters that are not base64url, so the bytes are encoded again and compared with the text.
  if (
    bytes.toString('base64url') !== encoded ||
    !checksum(content).equals(bytes.subarray(-CHECKSUM_BYTES))
  ) {
    throw unreadable('It has a typing error, or a part is missing. Copy it again.');
  }
  const address = content.subarray(addressAt).toString('latin1');
  if (!isAddress(address)) throw unreadable(`${JSON.stringify(address)} is not an address.`);
  return {
    secret: content.subarray(0, SECRET_BYTES),
    authorityFingerprint: content
      .subarray(SECRET_BYTES, SECRET_BYTES + FINGERPRINT_BYTES)
      .toString('hex'),
    port: content.readUInt16BE(SECRET_BYTES + FINGERPRINT_BYTES),
    address,
  };
}

function checksum(content: Buffer): Buffer {
  return createHash('sha256').update(PREFIX).update(content).digest().subarray(0, CHECKSUM_BYTES);
}

function unreadable(reason: string): FleetError {
  return new FleetError('INVITATION_REFUSED', `The invitation cannot be read. ${reason}`);
}
