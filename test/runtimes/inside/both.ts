// Both: runs the two parts of the suite, one after the other (bundle.ts).

import type { Answer, FileAnswer } from "./answer.ts";
import { isForgetful } from "./forgetful.ts";
import type { Wishes } from "./run.ts";

interface Module {
  answer(wishes: Wishes): Promise<FileAnswer[]>;
  servingKernel(): Answer["kernel"];
}

/**
 * They lie beside this, once bundled, and are named here as they are: Deno asks for permission to import what it has not seen
 * named. The second is loaded when the first is done: `expect` is a global of each in turn.
 */
export async function both(wishes: Wishes): Promise<Answer> {
  const start = Date.now();
  const built = (await import("./built.js" as string)) as Module;
  const kernel = built.servingKernel();
  const files = await built.answer(wishes);
  const sources = (await import("./sources.js" as string)) as Module;
  files.push(...(await sources.answer(wishes)));
  return { files, kernel, milliseconds: Date.now() - start, forgetful: isForgetful() };
}
