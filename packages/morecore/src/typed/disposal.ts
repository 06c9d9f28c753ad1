// Disposal: ending things once, in order, whatever throws.
//
// Owns:  the symbol for `using`; lists of destructors.
// Needs: nothing.

// Of the declarations, too: who compiles with lib "es2022" gets Symbol.dispose and Disposable with ours.
/// <reference lib="esnext.disposable" preserve="true" />

/**
 * `Symbol.dispose`, where there is one. Engines without `using` may lack it; `dispose()` does the same everywhere. The other
 * symbol is the one by which esbuild and Babel compile `using`. A polyfill of Symbol.dispose has to come before this file.
 */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/** Destructors, to be run in reverse order, each exactly once. */
export class Destructors {
  private readonly list: (() => void)[] = [];

  get count(): number {
    return this.list.length;
  }

  push(destructor: () => void): void {
    this.list.push(destructor);
  }

  /** As if it had been pushed when there were so many. */
  insert(count: number, destructor: () => void): void {
    this.list.splice(count, 0, destructor);
  }

  /** Sees to it that one that was pushed does nothing. Those that were pushed earlier or later stay where they are. */
  cancel(destructor: () => void): void {
    const index = this.list.lastIndexOf(destructor);
    if (index >= 0) this.list[index] = nothing;
  }

  /** Runs those from the last down to a number of them that stay, even if some throw: the errors are given back. */
  run(stay = 0): unknown[] {
    const errors: unknown[] = [];
    while (this.list.length > stay) {
      // Taken off first: a destructor that comes back here must not find itself.
      const destructor = this.list.pop();
      try {
        destructor?.();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}

const nothing = (): void => {};

/** Throws what was thrown on the way: the one error as it is, several as an AggregateError. */
export function throwAll(errors: readonly unknown[], what: string): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} errors in ${what}`);
}
