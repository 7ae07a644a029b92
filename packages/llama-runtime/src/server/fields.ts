import { invalidField } from '../engine/request-error.js';
import { isArray, isJsonObject, type JsonObject } from './json.js';

/** Bounds of a number; both are allowed values. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly isInteger?: boolean;
}

/** A number, or null where the field is absent or null. */
export function numberField(body: JsonObject, name: string, bounds: Bounds = {}): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  const { min = -Infinity, max = Infinity, isInteger = false } = bounds;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw invalidField(name, 'must be a number');
  if (isInteger && !Number.isInteger(value)) throw invalidField(name, 'must be an integer');
  if (value < min || value > max) {
    throw invalidField(
      name,
      max === Infinity ? `must be at least ${min}` : `must be between ${min} and ${max}`,
    );
  }
  return value;
}

/** A boolean, or null where the field is absent or null. */
export function booleanField(body: JsonObject, name: string): boolean | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'boolean') throw invalidField(name, 'must be a boolean');
  return value;
}

/** A string, or null where the field is absent or null. @param place - the path of an object within the body */
export function stringField(body: JsonObject, name: string, place = ''): string | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw invalidField(pathOf(name, place), 'must be a string');
  return value;
}

/** An object, or null where the field is absent or null. @param place - the path of an object within the body */
export function objectField(body: JsonObject, name: string, place = ''): JsonObject | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!isJsonObject(value)) throw invalidField(pathOf(name, place), 'must be an object');
  return value;
}

/** An array, or null where the field is absent or null. */
export function arrayField(body: JsonObject, name: string): readonly unknown[] | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (!isArray(value)) throw invalidField(name, 'must be an array');
  return value;
}

/** An array of objects, or null where the field is absent or null. */
export function objectsField(body: JsonObject, name: string): readonly JsonObject[] | null {
  const values = arrayField(body, name);
  if (values === null) return null;
  return values.map((value, index) => {
    if (!isJsonObject(value)) throw invalidField(`${name}[${index}]`, 'must be an object');
    return value;
  });
}

/** A string or several, or an empty array where the field is absent or null. No string is empty. */
export function stringsField(body: JsonObject, name: string): readonly string[] {
  const value = body[name];
  if (value === undefined || value === null) return [];
  const values = isArray(value) ? value : [value];
  return values.map((one) => {
    if (typeof one !== 'string' || one === '')
      throw invalidField(name, 'must contain non-empty strings');
    return one;
  });
}

function pathOf(name: string, place: string): string {
  return place === '' ? name : `${place}.${name}`;
}
