import { randomBytes } from 'node:crypto';

import { formatInvitation, parseInvitation, type Invitation } from './invitation.js';
import { INVITATION_LIFE_MS, OpenInvitation } from './open-invitation.js';

const INVITATION: Invitation = {
  address: '10.0.0.7',
  port: 8898,
  secret: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  authorityFingerprint: 'ab'.repeat(32),
};

describe('the text of an invitation', () => {
  const text = formatInvitation(INVITATION);

  test('is one line without spaces', () => {
    expect(text).toBe(
      'mai1-AAECAwQFBgcICQoLDA0OD6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urIsIxMC4wLjAuNwWPQ60',
    );
  });

  test.each(['10.0.0.7', 'fd00::7', 'desktop.lan', 'a'.repeat(63)])('carries %s', (address) => {
    const invitation = { ...INVITATION, address, secret: randomBytes(16), port: 65_535 };
    expect(parseInvitation(formatInvitation(invitation))).toEqual(invitation);
  });

  test('may contain spaces and line breaks', () => {
    expect(parseInvitation(`  ${text.slice(0, 20)}\r\n  ${text.slice(20)}\n`)).toEqual(INVITATION);
  });

  test('with any one character changed is refused as a typing error', () => {
    for (let at = 'mai1-'.length; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const typed = text.slice(0, at) + other + text.slice(at + 1);
      expect(() => parseInvitation(typed)).toThrow('typing error');
    }
  });

  test.each([
    [text.slice(0, -1), 'typing error'],
    [text.slice(0, 40), 'too short'],
    [`${text}A`, 'typing error'],
    [`${text}!`, 'typing error'],
    ['', 'starts with mai1-'],
    ['https://example.org', 'starts with mai1-'],
    [text.replace('mai1-', 'mai2-'), 'another version of Mai'],
  ])('%j is refused: %s', (typed, reason) => {
    expect(() => parseInvitation(typed)).toThrow(reason);
    try {
      parseInvitation(typed);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVITATION_REFUSED' });
    }
  });

  test('with a right checksum but without an address is refused', () => {
    const typed = formatInvitation({ ...INVITATION, address: 'no address' });
    expect(() => parseInvitation(typed)).toThrow('is not an address');
  });
});

describe('an open invitation', () => {
  const open = (): { invitation: OpenInvitation; at: (ms: number) => void } => {
    let now = 1_000;
    const invitation = new OpenInvitation(randomBytes(16), {
      lifeMs: INVITATION_LIFE_MS,
      now: () => now,
    });
    return { invitation, at: (ms) => (now = 1_000 + ms) };
  };

  test('is open for ten minutes', async () => {
    const { invitation, at } = open();
    at(599_999);
    expect(invitation.isOpen).toBe(true);
    at(600_000);
    expect(invitation.isOpen).toBe(false);
    expect(invitation.prove('a', 'a')).toBe(false);
    expect(await invitation.ended).toEqual({ kind: 'expired' });
  });

  test('takes a right proof after four wrong ones, and none after five', async () => {
    const { invitation } = open();
    for (let count = 0; count < 4; count += 1) expect(invitation.prove('b', 'a')).toBe(false);
    expect(invitation.prove('a', 'a')).toBe(true);
    expect(invitation.prove('b', 'a')).toBe(false);
    expect(invitation.prove('a', 'a')).toBe(false);
    expect(await invitation.ended).toEqual({ kind: 'too-many-tries' });
  });

  test('admits one joiner at a time, and one in all', async () => {
    const { invitation } = open();
    let admit: (value: string) => void = () => undefined;
    const first = invitation.use(
      'laptop',
      () => new Promise<string>((resolve) => (admit = resolve)),
    );
    expect(invitation.prove('a', 'a')).toBe(false);
    admit('admitted');
    expect(await first).toBe('admitted');
    expect(invitation.isOpen).toBe(false);
    expect(await invitation.ended).toEqual({ kind: 'joined', host: 'laptop' });
  });

  test('is open again after an admission that was refused', async () => {
    const { invitation } = open();
    const refused = invitation.use('laptop', () => Promise.reject(new Error('taken')));
    await expect(refused).rejects.toThrow('taken');
    expect(invitation.isOpen).toBe(true);
  });
});
