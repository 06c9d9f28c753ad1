// Os: in the place of test/support/os.ts where there is no operating system to ask (suite.ts).

import type { HeapMaker } from "../../support/memories.ts";
import { randomFrom } from "../../support/random.ts";

export const hasOs = false;
export const OS_MAKERS: readonly HeapMaker[] = [];
export { randomFrom };
