// Run: runs test files that lie in one bundle, and says what became of each test.
//
// Owns:  the runner's settings, and the answer.
// Needs: @vitest/runner. No module of Node's: this runs in browsers.

import { startTests, type Task, type VitestRunner, type VitestRunnerConfig } from "@vitest/runner";
import type { FileAnswer } from "./answer.ts";

/** A file's name, and what loads it. */
export type Files = Readonly<Record<string, () => Promise<unknown>>>;

const NOTHING = /(?!)/;
/** As long as vitest.config.ts says. */
const PATIENCE = 120_000;

const CONFIG: VitestRunnerConfig = {
  root: "/",
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: PATIENCE,
  hookTimeout: PATIENCE,
  retry: 0,
  includeTaskLocation: undefined,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

/** Which files to run, and who is told of each before it is loaded. */
export interface Wishes {
  /** Those whose names this regular expression matches. */
  readonly only: string;
  /** To see which tests there are, and run none. */
  readonly counting?: boolean;
  onFile?(file: string): void;
}

/** Runs them one after the other. */
export async function run(files: Files, { only, counting, onFile }: Wishes): Promise<FileAnswer[]> {
  const answers: FileAnswer[] = [];
  const config = counting ? { ...CONFIG, testNamePattern: NOTHING } : CONFIG;
  for (const [file, load] of Object.entries(files)) {
    if (!new RegExp(only).test(file)) continue;
    onFile?.(file);
    const start = Date.now();
    const runner: VitestRunner = { config, importFile: () => load(), onAfterRunTask: endJob };
    const [task] = await startTests([`/${file}`], runner);
    if (task === undefined) throw new Error(`${file}: expected the runner to answer`);
    answers.push({ ...answerOf(file, task), milliseconds: Date.now() - start });
  }
  return answers;
}

/** How many tests may run in one job of the engine's. */
const TESTS_IN_A_JOB = 8;
let testsInJob = 0;

/**
 * Lets the job end, now and then. Until it does, an engine keeps all that a WeakRef was made of, as it has to: a heap that threads
 * share is one of these, and each has GiBs of addresses, of which a browser gives a page few.
 */
async function endJob(): Promise<void> {
  testsInJob = (testsInJob + 1) % TESTS_IN_A_JOB;
  if (testsInJob === 0) await new Promise((resolve) => setTimeout(resolve, 0));
}

function answerOf(file: string, task: Task): Omit<FileAnswer, "milliseconds"> {
  let passed = 0;
  const skipped: string[] = [];
  const failed: string[] = [];
  const visit = (task: Task, above: string): void => {
    const name = above === "" ? task.name : `${above} > ${task.name}`;
    const { state, errors = [] } = task.result ?? {};
    // A suite whose hook fails, and a file that does not load, have errors of their own.
    const isFailed = task.type === "test" ? state === "fail" : errors.length > 0;
    if (isFailed) failed.push(`${name}: ${errors.map(said).join("; ")}`);
    else if (task.type === "test" && state === "pass") passed += 1;
    else if (task.type === "test") skipped.push(name);
    if (task.type === "suite") for (const inner of task.tasks) visit(inner, task === top ? "" : name);
  };
  const top = task;
  visit(task, "");
  return { file, passed, skipped, failed };
}

const MOST = 2000;

function said({
  name = "Error",
  message,
  stack = "",
}: {
  name?: string;
  message: string;
  stack?: string;
}): string {
  return `${name}: ${message}\n${stack}`.slice(0, MOST);
}
