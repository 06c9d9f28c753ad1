// Slot maps: values that are known by keys, and keys that are known to be old.

export { SlotMapFormatError } from "./image.ts";
export { type Key, type KeyType, keyType } from "./key.ts";
export { type KeySource, SecondaryColumn, SecondaryMap } from "./secondary-map.ts";
export { SlotMap, type SlotMapOptions } from "./slot-map.ts";
