import 'reflect-metadata';

import { webcrypto } from 'node:crypto';

import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { JsonGeneralName } from '@peculiar/x509';

// The only file that imports @peculiar/x509. Keys and certificates cross it as PEM texts.

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A key pair; the private key is PKCS #8 in PEM, the public key SPKI in PEM. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A certificate and its private key, both in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The period in which a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The facts that a certificate states about its subject. */
export interface CertificateContent extends Validity {
  /** Common name of the subject. */
  readonly name: string;
  /** Subject alternative names: DNS names, IP addresses and URIs. */
  readonly alternativeNames: readonly AlternativeName[];
  /** Positive serial number of 16 bytes in hexadecimal digits. */
  readonly serialNumber: string;
  readonly usages: readonly ('client' | 'server')[];
}

export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'url';
  readonly value: string;
}

/** Makes a key pair: ECDSA on the curve P-256. */
export async function generateKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(EC, true, [
    'sign',
    'verify',
  ]);
  return {
    privateKey: PemConverter.encode(
      await webcrypto.subtle.exportKey('pkcs8', privateKey),
      PemConverter.PrivateKeyTag,
    ),
    publicKey: PemConverter.encode(
      await webcrypto.subtle.exportKey('spki', publicKey),
      PemConverter.PublicKeyTag,
    ),
  };
}

/** Makes a certificate authority that may sign certificates of hosts, and no other authorities. */
export async function createAuthority(name: string, validity: Validity): Promise<Certified> {
  const pair = await generateKeyPair();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: [{ CN: [name] }],
    keys: await importPair(pair),
    signingAlgorithm: ECDSA,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: pair.privateKey };
}

/** Signs a certificate for a public key. */
export async function signCertificate(
  authority: Certified,
  publicKey: string,
  content: CertificateContent,
): Promise<string> {
  const names: JsonGeneralName[] = content.alternativeNames.map(({ type, value }) => ({
    type,
    value,
  }));
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [content.name] }],
    issuer: new X509Certificate(authority.certificate).subjectName.toJSON(),
    serialNumber: content.serialNumber,
    notBefore: content.notBefore,
    notAfter: content.notAfter,
    publicKey: await webcrypto.subtle.importKey('spki', decodePem(publicKey), EC, true, ['verify']),
    signingKey: await importPrivateKey(authority.privateKey),
    signingAlgorithm: ECDSA,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(
        content.usages.map((usage) =>
          usage === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
        ),
      ),
      new SubjectAlternativeNameExtension(names),
    ],
  });
  return certificate.toString('pem');
}

/** Makes a signing request (PKCS #10, PEM) that names its subject and asks for nothing else. */
export async function createSigningRequest(pair: KeyPair, name: string): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    keys: await importPair(pair),
    signingAlgorithm: ECDSA,
  });
  return request.toString('pem');
}

/** The contents of a signing request. */
export interface SigningRequest {
  /** The common name, where the subject consists of one common name only; null otherwise. */
  readonly name: string | null;
  /** The public key, SPKI in PEM; null where it is not a key on the curve P-256. */
  readonly publicKey: string | null;
  /** Whether the sender holds the private key: the request's signature is right. */
  readonly signed: boolean;
  /** Whether the request asks for extensions or has other attributes. */
  readonly asksForMore: boolean;
}

/** Reads a signing request of a stranger. Returns null where the text is not a signing request. */
export async function readSigningRequest(pem: string): Promise<SigningRequest | null> {
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(pem);
  } catch {
    return null;
  }
  const subject = request.subjectName.toJSON();
  const names = subject.length === 1 ? subject[0]?.['CN'] : undefined;
  const only = Object.keys(subject[0] ?? {}).length === 1 && names?.length === 1 ? names[0] : null;
  return {
    name: typeof only === 'string' ? only : null,
    publicKey: await publicKeyOf(request),
    signed: await request.verify().catch(() => false),
    asksForMore: request.extensions.length > 0 || request.attributes.length > 0,
  };
}

/** The public key of a signing request in PEM, where it is a point on the curve P-256. */
async function publicKeyOf(request: Pkcs10CertificateRequest): Promise<string | null> {
  try {
    await webcrypto.subtle.importKey('spki', request.publicKey.rawData, EC, true, ['verify']);
    return PemConverter.encode(request.publicKey.rawData, PemConverter.PublicKeyTag);
  } catch {
    return null;
  }
}

async function importPair(pair: KeyPair): Promise<webcrypto.CryptoKeyPair> {
  return {
    privateKey: await importPrivateKey(pair.privateKey),
    publicKey: await webcrypto.subtle.importKey('spki', decodePem(pair.publicKey), EC, true, [
      'verify',
    ]),
  };
}

function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', decodePem(pem), EC, false, ['sign']);
}

function decodePem(pem: string): ArrayBuffer {
  return PemConverter.decodeFirst(pem);
}
