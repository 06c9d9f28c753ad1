// Slot maps: values side by side, known by keys that say when their value has gone.

export { SlotMapFormatError } from "./image.ts";
export { type Key, type KeyType, keyType } from "./key.ts";
export { type KeySource, SecondaryColumn, SecondaryMap } from "./secondary-map.ts";
export { SlotMap, type SlotMapOptions } from "./slot-map.ts";
