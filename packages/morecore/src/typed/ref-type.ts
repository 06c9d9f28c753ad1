// Ref: the type of references, as users write it.
//
// Owns:  the name; what is behind it is in values.ts.
// Needs: values, lifetime.

import type { LivesFor } from "./lifetime.ts";
import type { Holding, Members } from "./values.ts";

/**
 * A reference to a T that may be used while L lasts, and whose own references live for B: `Ref<typeof Node, L>`. Its properties
 * are the fields. It stays valid when the memory grows; once its life has ended, every access throws a UseAfterFreeError.
 */
export type Ref<T, L = unknown, B = L> = LivesFor<L> & Holding<T, B> & Members<T, L, B>;
