// What the JavaScript clients share: the expected counts, and comparing with them.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

export const BASE = process.env.CAREWEAVE_BASE;
export const EXPECTED = JSON.parse(readFileSync(process.env.CAREWEAVE_EXPECTED, 'utf8'));

let compared = 0;
let wrong = 0;

/** Compares what a client got with what it must get. */
export function same(what, found, expected) {
  compared += 1;
  if (!isDeepStrictEqual(found, expected)) {
    wrong += 1;
    console.log(`  ${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
  }
}

/** Makes sure that a call fails; `status` reads the HTTP status from the client's error. */
export async function refused(what, call, status, expected) {
  try {
    await call();
  } catch (error) {
    same(what, status(error), expected);
    return;
  }
  same(what, 'taken', expected);
}

/** How many resources `$everything` gives of a person. */
export function everythingOf(n) {
  return Object.values(EXPECTED.of_person[n]).reduce((sum, count) => sum + count, 0);
}

/** The identifier token of a person. */
export function member(n) {
  return `${EXPECTED.member}|M-${4700 + n}`;
}

/** A goal as a client states it. */
export function goalOf(patient, text) {
  return {
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    description: { text },
    subject: { reference: `Patient/${patient}` },
  };
}

/** Entries of a Bundle in this search mode. */
export function inMode(bundle, mode) {
  return (bundle.entry ?? []).filter((e) => e.search?.mode === mode).map((e) => e.resource);
}

/** Says how it went; the exit status is 0 if all was as expected. */
export function done(name) {
  console.log(`${name}: ${compared - wrong} passed, ${wrong} failed`);
  process.exitCode = wrong || !compared ? 1 : 0;
}
