// All: the groups of loops, in the order of the tables. A new one is added here.

import { access } from "./access.ts";
import { allocation, scopes } from "./allocation.ts";
import { layouts } from "./layouts.ts";
import type { LoopGroup } from "./loop.ts";
import { slots } from "./slots.ts";

export const GROUPS: readonly LoopGroup[] = [access, allocation, scopes, slots, layouts];
