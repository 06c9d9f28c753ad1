// Programs: real ones, and what they are given to do.
//
// Owns:  the list, and the files that they work on.
// Needs: the programs; those that are not installed are left out, with a remark.

import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../harness/paths.ts";

export interface NativeProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** With one thread: these have the goals. */
  readonly single: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const PERL = `my (%h, @a);
for my $r (1 .. 3) { for my $i (1 .. 150000) { push @{ $h{"k" . ($i * 7919 % 50021)} }, $i; push @a, "x" x ($i % 60) }
  my @s = sort @a; %h = () if $r < 3; @a = () }
print scalar(keys %h), "\\n";`;

const PYTHON = `import json, re, collections
data = {str(i): [j * 2 for j in range(i % 50)] for i in range(30000)}
for _ in range(2):
    text = json.dumps(data); back = json.loads(text)
    words = collections.Counter(re.findall(r"[0-9]+", text))
print(len(back), len(words))`;

const SQL = `create table words (id integer primary key, word text);
with recursive n(x) as (select 1 union all select x + 1 from n where x < 300000)
  insert into words select x, printf('%08d-%s', x * 7919 % 300007, hex(x)) from n;
create index by_word on words (word);
select count(*), sum(length(word)) from words;
select count(*) from (select a.word from words a join words b on a.id = b.id + 7 order by a.word desc);`;

const AWK = `{ seen[$1 % 50021] = seen[$1 % 50021] " " $1; n += length(seen[$1 % 50021]) } END { print n }`;

const NODE = `const all = [];
for (let i = 0; i < 60000; i++) all.push(Buffer.allocUnsafeSlow(i % 3000));
const text = JSON.stringify([...Array(200000).keys()].map((n) => ({ n, s: String(n) })));
console.log(all.length, JSON.parse(text).length, require("node:zlib").gzipSync(text).length);`;

/** All of them, with their files in `folder`. */
export function nativePrograms(folder: string): readonly NativeProgram[] {
  const at = (name: string): string => path.join(folder, name);
  const lines = Array.from({ length: 600_000 }, (_, index) => `${(index * 7919) % 600_011} line ${index}`);
  writeFileSync(at("lines"), `${lines.join("\n")}\n`);
  writeFileSync(at("work.pl"), PERL);
  writeFileSync(at("work.py"), PYTHON);
  writeFileSync(at("work.js"), NODE);
  const sources = path.join(ROOT, "packages", "native", "test");
  compileIfThere("g++", [
    "-O2",
    "-pthread",
    "-std=c++17",
    path.join(sources, "program.cpp"),
    "-o",
    at("cpp"),
  ]);
  compileIfThere("gcc", [
    "-O2",
    "-pthread",
    "-w",
    path.join(sources, "stress-threads.c"),
    "-o",
    at("stress"),
  ]);
  const quiet = { PYTHONMALLOC: "malloc", PYTHONHASHSEED: "1" };
  return [
    { name: "perl", command: "perl", args: [at("work.pl")], single: true },
    { name: "python", command: "python3", args: [at("work.py")], single: true, env: quiet },
    { name: "sqlite3", command: "sqlite3", args: [":memory:", SQL], single: true },
    {
      name: "gcc -O2",
      command: "gcc",
      args: [
        "-O2",
        "-c",
        "-w",
        `-I${ROOT}/packages/wasm/c/include`,
        `${ROOT}/packages/wasm/test/c/iso.c`,
        "-o",
        at("object.o"),
      ],
      single: true,
    },
    {
      name: "g++ -O2",
      command: "g++",
      args: ["-O2", "-c", "-w", path.join(sources, "program.cpp"), "-o", at("object.o")],
      single: true,
    },
    { name: "git log", command: "git", args: ["-C", ROOT, "log", "--stat", "-p"], single: true },
    { name: "awk", command: "awk", args: [AWK, at("lines")], single: true },
    { name: "sort", command: "sort", args: ["--parallel=1", "-k3", at("lines")], single: true },
    { name: "xz", command: "xz", args: ["-2", "-k", "-c", at("lines")], single: true },
    {
      name: "xz -T4",
      command: "xz",
      args: ["-2", "-T4", "--block-size=1000000", "-k", "-c", at("lines")],
      single: false,
    },
    { name: "node", command: process.execPath, args: [at("work.js")], single: false },
    { name: "C++, 4 threads", command: at("cpp"), args: [], single: false },
    { name: "stress, 8 threads", command: at("stress"), args: ["1", "8", "4", "10000", "0"], single: false },
  ];
}

function compileIfThere(compiler: string, args: readonly string[]): void {
  if (isThere(compiler)) execFileSync(compiler, args);
}

/** Whether a command can be run at all. */
export function isThere(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore", timeout: 10_000 }).error === undefined;
}
