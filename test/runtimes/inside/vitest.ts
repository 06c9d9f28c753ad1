// Vitest: what a test file imports by that name, in engines that Vitest itself cannot be started in.
//
// Owns:  `expect`, put together as Vitest does it.
// Needs: @vitest/runner and @vitest/expect, which ask nothing of the engine but JavaScript.
//
// The bundler puts this file in the place of "vitest" (bundle.ts). Mocks of modules are not to be had: the bundle has no
// modules any more.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  type ExpectStatic,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  test,
} from "@vitest/runner";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

interface Extending {
  extend(to: ExpectStatic, matchers: object): void;
}

export const expect: ExpectStatic = madeExpect();

function madeExpect(): ExpectStatic {
  const made = ((value: unknown, message?: string) => chai.expect(value, message)) as ExpectStatic;
  const known: Record<symbol, object> = globalThis as never;
  Object.assign(made, chai.expect, known[ASYMMETRIC_MATCHERS_OBJECT]);
  made.unreachable = (message?: string) => chai.assert.fail(message ?? "expected not to come here");
  setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, made);
  Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: made, writable: true, configurable: true });
  // JestExtend's takes the function that it extends, too, which its types leave out.
  (chai.expect as unknown as Extending).extend(made, customMatchers);
  return made;
}
