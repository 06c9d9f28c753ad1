// Runtimes: every engine, and every kind of page in each browser, as one list.
//
// Owns:  their names, and the policies of pages.
// Needs: engines/, which knows how each is started.

import type { Bundle } from "./bundle.ts";
import { BROWSERS, browserVersion, runInBrowser } from "./engines/browsers.ts";
import { commandVersion, runInCommand } from "./engines/commands.ts";
import { type Answer, sum } from "./inside/answer.ts";

export interface Runtime {
  readonly engine: string;
  /** What of the engine's rules is special here; "" if nothing is. */
  readonly rules: string;
  /** Undefined: it is not on this machine. */
  readonly version: string | undefined;
  /** A regular expression for the test files that it runs; "" for all. */
  readonly only: string;
  /** What to do if it is not. */
  readonly howToGet: string;
  /** In fresh processes. */
  run(bundle: Bundle): Promise<Answer>;
}

/** For one engine, on a machine that does other things as well. */
const PATIENCE = 300_000;

const COMMANDS: Readonly<Record<string, readonly [engine: string, rules: string]>> = {
  node20: ["Node 20", ""],
  node22: ["Node 22", ""],
  node24: ["Node 24", ""],
  node26: ["Node 26", ""],
  deno: ["Deno", "may read the Workers' script"],
  bun: ["Bun", ""],
  workerd: ["workerd", "no code from strings or bytes"],
};

/** Content security policies, as pages have them. */
const POLICIES: Readonly<Record<string, string | undefined>> = {
  "no policy": undefined,
  "without unsafe-eval": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  "without wasm-unsafe-eval": "default-src 'self'; script-src 'self'",
};

/** What a policy could make a difference for. The whole suite runs in the page that has none. */
const OF_POLICIES = "/conformance/memories|/heap/|/memory/|/workers/|arena/bump|typed/ref|containers/vec";

export function runtimes(): Runtime[] {
  const commands = Object.entries(COMMANDS).map(([name, [engine, rules]]) => ({
    engine,
    rules,
    version: commandVersion(name),
    only: "",
    howToGet: "npm run engines",
    run: (bundle: Bundle) =>
      name === "workerd" ? runInCommand(name, bundle.folder, PATIENCE) : runBySteps(name, bundle),
  }));
  const pages = BROWSERS.flatMap((browser) =>
    Object.entries(POLICIES).map(([rules, policy]) => {
      const only = policy === undefined ? "" : OF_POLICIES;
      return {
        engine: browser.name,
        rules,
        version: browserVersion(browser),
        only,
        howToGet: "npm run engines -- --install",
        run: ({ folder }: Bundle) => runInBrowser(browser, folder, policy, PATIENCE, only),
      };
    }),
  );
  return [...commands, ...pages];
}

/** Those test files that make resizable buffers last: each in a process of its own, if the engine cannot bear them together. */
async function runBySteps(name: string, { folder, apart }: Bundle): Promise<Answer> {
  const run = (only: string): Promise<Answer> => runInCommand(name, folder, PATIENCE, only);
  const others = await run(`^(?!${anyOf(apart)})`);
  const answers = [others];
  const steps = others.forgetful ? apart.map((file) => [file]) : [apart];
  for (const files of steps) answers.push(await run(`^${anyOf(files)}`));
  const files = answers.flatMap((answer) => answer.files);
  return { ...others, files, milliseconds: sum(answers.map((answer) => answer.milliseconds)) };
}

const anyOf = (files: readonly string[]): string => `(${files.map((file) => `${file}$`).join("|")})`;

export const titleOf = ({ engine, rules }: Runtime): string =>
  rules === "" ? engine : `${engine}, ${rules}`;
