// Bytes of one's own: a Uint8Array over an ArrayBuffer, which is neither shared nor a part of a heap.

/** `Uint8Array<ArrayBuffer>`, which TypeScript can say since 5.7; before that, a Uint8Array. */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;
