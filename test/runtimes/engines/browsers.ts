// Browsers: Debian's Chromium, Firefox and WebKitGTK, each started on a page of ours and ended when the page has answered.
//
// Owns:       their processes and their folders, which are thrown away.
// Needs:      the browsers (`npm run engines -- --install`); Xvfb for WebKitGTK, which has no mode without a display.
// Invariants: B1  none outlives its answer: each is the head of a process group, which is ended whole
//
// No driver stands between: a browser is told an address and nothing else, so there is nothing that can get out of step.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Answer } from "../inside/answer.ts";
import { servePage } from "./serve.ts";

export interface Browser {
  readonly name: string;
  /** Debian's. */
  readonly packages: readonly string[];
  /** Undefined: it is not installed. */
  find(): string | undefined;
  /** Arguments, with a folder for what it keeps. */
  args(folder: string, url: string): readonly string[];
  /** What it is told by its environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly needsDisplay?: true;
}

/** What a page that computes for a minute must not be stopped for, and what a fresh profile shows and fetches. */
const FIREFOX_PREFERENCES = {
  "dom.max_script_run_time": 0,
  "browser.aboutwelcome.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "app.normandy.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "devtools.console.stdout.content": true,
};

export const BROWSERS: readonly Browser[] = [
  {
    name: "Chromium",
    packages: ["chromium"],
    find: () => onPath("chromium"),
    args: (folder, url) => [
      // Root may not have a sandbox, and a container little of /dev/shm.
      ...["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"],
      `--user-data-dir=${folder}`,
      url,
    ],
  },
  {
    name: "Firefox",
    packages: ["firefox-esr"],
    find: () => onPath("firefox-esr"),
    args(folder, url) {
      const lines = Object.entries(FIREFOX_PREFERENCES).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${value});\n`,
      );
      writeFileSync(path.join(folder, "user.js"), lines.join(""));
      return ["--headless", "--no-remote", "--profile", folder, url];
    },
  },
  {
    name: "WebKitGTK",
    packages: ["webkit2gtk-driver", "xvfb"],
    find: () => (onPath("Xvfb") === undefined ? undefined : miniBrowser()),
    args: (_, url) => ["--private", url],
    // It has shared memory, but not by default, whatever the page's headers say.
    env: { JSC_useSharedArrayBuffer: "1" },
    needsDisplay: true,
  },
];

function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/** It lies beside the library, whose name has the version of its interface. */
function miniBrowser(): string | undefined {
  const libraries = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries)
    .filter((name) => /^webkit(2)?gtk-/.test(name))
    .map((name) => path.join(libraries, name, "MiniBrowser"))
    .find((file) => existsSync(file));
}

/** "153.8.0", by its package; undefined: it is not installed. */
export function browserVersion(browser: Browser): string | undefined {
  if (browser.find() === undefined) return undefined;
  const { stdout } = spawnSync("dpkg", ["-s", browser.packages[0] ?? ""], { encoding: "utf8" });
  return /^Version: (\d+(\.\d+)*)/m.exec(stdout ?? "")?.[1] ?? "?";
}

/** Runs the suite in a fresh browser, in a page with this policy. Throws with what the browser said if no answer comes. */
export async function runInBrowser(
  browser: Browser,
  folder: string,
  policy: string | undefined,
  milliseconds: number,
  only = "",
): Promise<Answer> {
  const server = await servePage(folder, policy);
  const own = mkdtempSync(path.join(tmpdir(), "morecore-browser-"));
  const running: Running[] = [];
  try {
    const env = { ...process.env, ...browser.env, HOME: own };
    if (browser.needsDisplay) {
      const display = start(
        "Xvfb",
        ["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        env,
      );
      running.push(display);
      Object.assign(env, { DISPLAY: `:${await display.firstLine}` });
    }
    const url = only === "" ? server.url : `${server.url}?only=${encodeURIComponent(only)}`;
    const process_ = start(browser.find() ?? "", browser.args(own, url), env);
    running.push(process_);
    const limit = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`no answer in ${milliseconds / 1000} s`)), milliseconds).unref();
    });
    return await Promise.race([server.answer, limit, process_.ended]);
  } catch (error) {
    const said = running.map(({ said }) => said()).join("\n");
    throw new Error(
      `${browser.name}: ${error instanceof Error ? error.message : error}; ${server.progress()}\n${said}`,
    );
  } finally {
    for (const each of running.reverse()) each.end();
    server.close();
    rmSync(own, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Running {
  /** The first line that it prints, without what it says on stderr. */
  readonly firstLine: Promise<string>;
  /** Rejects when it ends. */
  readonly ended: Promise<never>;
  /** The end of what it printed. */
  said(): string;
  end(): void;
}

const MOST_SAID = 4000;

/** Starts a program as the head of a process group. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child: ChildProcess = spawn(command, args, {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  // Its own, since a program may complain before it says what it was asked for: an Xvfb that finds another display does.
  let printed = "";
  const firstLine = new Promise<string>((resolve) => {
    child.stdout?.on("data", (data) => {
      output += data;
      printed += data;
      if (printed.includes("\n")) resolve(printed.slice(0, printed.indexOf("\n")));
    });
  });
  child.stderr?.on("data", (data) => {
    output += data;
  });
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => reject(new Error(`it ended with ${signal ?? code}`)));
  });
  ended.catch(() => {});
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  return { firstLine, ended, said: () => output.slice(-MOST_SAID), end };
}
