// Lifetimes: how long a reference may be used, as a type. Nothing here exists at run time.
//
// A lifetime is a type parameter that a scope's callback gets: nobody outside can name it, and an inner scope's extends the
// outer's. That is all there is to it:
//
//     LivesFor<L>   contravariant: what lives longer may stand where less is asked for   (Rust: &'long T is a &'short T)
//     Holds<B>      invariant: what is stored in a struct must live for B, exactly        (Rust: Foo<'b> behind &mut)
//
// `Ref<T, L>` is Rust's &'l mut T<'l>; `Ref<T, L, B>` is &'l mut T<'b>, a short-lived reference to a struct that holds long-lived ones.

declare const LIVES: unique symbol;
declare const HOLDS: unique symbol;

/** The lifetime of what lives until it is freed: blocks of a heap, and of arenas that no scope ends. Rust's 'static. */
export type Static = unknown;

/** Usable while L lasts. */
export interface LivesFor<L> {
  readonly [LIVES]: (life: L) => void;
}

/** Holds references, each of which lives for B. */
export interface Holds<B> {
  readonly [HOLDS]: (life: B) => B;
}
