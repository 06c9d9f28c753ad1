import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasCommand, ROOT } from "../../../test/support/c-program.ts";
import {
  compileNative,
  type Ended,
  nativeLibrary,
  needsNative,
  runWith,
  scratchFolder,
} from "../../../test/support/native.ts";

const scratch = scratchFolder();
const file = (name: string): string => join(scratch.path, name);
afterAll(scratch.remove);

interface Program {
  readonly name: string;
  /** Whether it is here. */
  readonly is: () => boolean;
  readonly packages: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const shell = (script: string): Pick<Program, "command" | "args"> => ({
  command: "sh",
  args: ["-ec", script],
});

const PYTHON_TESTS = ["test.test_json", "test.test_dict", "test.test_list", "test.test_heapq"];

const PERL = `
  my %seen; my @all;
  for my $i (1 .. 60000) { my $key = "k" . ($i * 7919 % 5003); push @{ $seen{$key} }, $i; push @all, $key x ($i % 5) }
  print scalar(keys %seen), " ", length(join ",", sort @all), "\\n";`;

const NODE = `
  const { Worker } = require("node:worker_threads");
  const sum = (n) => { const all = []; for (let i = 0; i < n; i++) all.push(Buffer.alloc(i % 5000, i)); return all.reduce((s, b) => s + b.length, 0); };
  new Worker("require('node:worker_threads').parentPort.postMessage([...Array(1e5).keys()].map(String).join().length)", { eval: true })
    .on("message", (length) => console.log(length, sum(20000), require("node:zlib").gzipSync(Buffer.alloc(1e6, "abc")).length));`;

const SQL = `
  create table words (id integer primary key, word text);
  with recursive n(x) as (select 1 union all select x + 1 from n where x < 60000)
    insert into words select x, printf('%08d', x * 7919 % 60013) from n;
  create index by_word on words (word);
  select count(*), min(word), max(word), sum(length(word)) from words;
  select group_concat(word) from (select word from words order by word desc limit 20);`;

/** A repository with a history, the same each time. */
const GIT = `
  export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE='2001-01-01 00:00:00 +0000' GIT_COMMITTER_DATE='2001-01-01 00:00:00 +0000'
  git="git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main -c gc.threads=2"
  rm -rf repository; $git init -q repository; cd repository
  for n in 1 2 3 4 5 6 7 8; do seq $n 5 30000 > numbers; mkdir -p d$n; seq $n > d$n/f; $git add .; $git commit -qm "commit $n"; done
  $git log --stat --patch | cksum; $git gc -q --aggressive; $git fsck --full; $git count-objects -v | grep -v size; $git log --graph`;

const PROGRAMS: readonly Program[] = [
  {
    name: "gcc compiles a file to the same object",
    is: () => hasCommand("gcc"),
    packages: "gcc",
    ...shell(
      `gcc -O2 -c -w "${ROOT}packages/native/test/stress-threads.c" -o object.o; cksum < object.o; gcc -w -O2 -pthread object.o -o program; ./program 1 2 1 2000 1`,
    ),
  },
  { name: "git commits, logs and collects", is: () => hasCommand("git"), packages: "git", ...shell(GIT) },
  {
    name: "Python passes tests of its own",
    is: () => hasCommand("python3", "-c", `import ${PYTHON_TESTS.join(", ")}`),
    packages: "python3 libpython3-testsuite",
    command: "python3",
    args: ["-m", "unittest", ...PYTHON_TESTS],
    env: { PYTHONMALLOC: "malloc" },
  },
  { name: "Perl", is: () => hasCommand("perl"), packages: "perl", command: "perl", args: ["-e", PERL] },
  {
    name: "sqlite3",
    is: () => hasCommand("sqlite3"),
    packages: "sqlite3",
    command: "sqlite3",
    args: [":memory:", SQL],
  },
  {
    name: "node, with a worker",
    is: () => true,
    packages: "nodejs",
    command: process.execPath,
    args: ["-e", NODE],
  },
  {
    name: "xz with four threads",
    is: () => hasCommand("xz"),
    packages: "xz-utils",
    ...shell(
      "seq 700000 | xz -3 -T4 --block-size=1000000 > numbers.xz; xz -T4 -d < numbers.xz | cksum; cksum < numbers.xz",
    ),
  },
  {
    name: "a program in C++",
    is: () => hasCommand("g++"),
    packages: "g++",
    command: file("cpp"),
    args: [],
  },
];

/** Without what differs from run to run: times. */
function comparable({ stdout, stderr, end }: Ended): Ended {
  return { stdout, stderr: stderr.replaceAll(/in \d+\.\d+s/g, "in …s"), end };
}

describe.skipIf(!needsNative())("with libmorecore.so for its malloc, a real program does the same", () => {
  beforeAll(() => {
    nativeLibrary();
    if (hasCommand("g++"))
      compileNative(file("cpp"), [join(ROOT, "packages/native/test/program.cpp")], ["-std=c++17"]);
  }, 120_000);

  it("the library is in the program, so that all this says something", () => {
    const { stdout } = runWith("sh", ["-c", "cat /proc/self/maps"], { preload: nativeLibrary() });
    expect(stdout).toContain("libmorecore.so");
  });

  for (const { name, is, packages, command, args, env = {} } of PROGRAMS)
    it(name, ({ skip }) => {
      if (!is()) {
        console.warn(`skipped: ${name}: apt-get install ${packages}`);
        skip();
      }
      const cwd = file(name.replaceAll(/\W+/g, "-"));
      mkdirSync(cwd, { recursive: true });
      const run = (more: Readonly<Record<string, string>>, preload: string): Ended =>
        runWith(command, args, { preload, cwd, env: { ...env, ...more } });
      const expected = comparable(run({}, ""));
      expect(expected.end).toBe(0);
      for (const memory of ["sbrk", "mmap"]) {
        const found = run({ MORECORE_MEMORY: memory }, nativeLibrary());
        expect(comparable(found)).toEqual(expected);
      }
    }, 120_000);
});
