// Every memory passes the whole suite.

import { conformance } from "../support/conformance.ts";
import { MAKERS } from "../support/memories.ts";

for (const { name, make, grows, keepsBuffer } of MAKERS) conformance(name, make, grows, keepsBuffer);
