// Worker: runs the suite in workerd, as its test of a worker, and prints the answer as the last line.

import { both } from "./both.ts";

export default {
  async test(): Promise<void> {
    console.log(`\n${JSON.stringify(await both({ only: "" }))}`);
  },
};
