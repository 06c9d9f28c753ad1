// All orders: the scenarios of all files, each of which has one list.

import { CHUNK_ORDERS } from "./chunk-orders.ts";
import type { AnyScenario } from "./explore.ts";
import { JOIN_ORDERS } from "./join-orders.ts";
import { MEMORY_ORDERS } from "./memory-orders.ts";
import { MISUSE_ORDERS } from "./misuse-orders.ts";
import { SLAB_ORDERS } from "./slab-orders.ts";

export const ALL_ORDERS: readonly AnyScenario[] = [
  ...SLAB_ORDERS,
  ...CHUNK_ORDERS,
  ...JOIN_ORDERS,
  ...MEMORY_ORDERS,
  ...MISUSE_ORDERS,
];
