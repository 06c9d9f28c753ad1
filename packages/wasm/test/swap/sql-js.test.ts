// sql.js, debug build: SQLite with an export named malloc. Its release build is refused.

import { describe, expect, it } from "vitest";
import {
  digest,
  expectSwapped,
  load,
  packageFile,
  packageText,
  refusal,
  replacedIn,
  runWithMemory,
} from "../../../../test/support/swap.ts";
import { swapModule } from "../../src/swap/index.ts";

interface Database {
  run(sql: string, values?: unknown[]): void;
  exec(sql: string): { columns: string[]; values: unknown[][] }[];
  prepare(sql: string): { run(values: unknown[]): void; free(): void };
  export(): Uint8Array;
  close(): void;
}
type InitSqlJs = (config: {
  wasmBinary: Uint8Array;
}) => Promise<{ Database: new (data?: Uint8Array) => Database }>;

const ROWS = 60_000;

async function workload(wasmBinary: Uint8Array) {
  const init = load("sql.js/dist/sql-wasm-debug.js") as InitSqlJs;
  const { Database } = await init({ wasmBinary });
  const database = new Database();
  database.run("create table t (id integer primary key, name text, size real, data blob)");
  database.run("begin");
  const insert = database.prepare("insert into t values (?, ?, ?, ?)");
  for (let id = 0; id < ROWS; id++) {
    const key = (id * 7919) % 10_007;
    insert.run([
      id,
      `name ${key} ${"x".repeat(key % 90)}`,
      key / 3,
      new Uint8Array(key % 200).fill(id & 255),
    ]);
  }
  insert.free();
  database.run("commit");
  database.run("create index by_name on t (name)");
  database.run("create index by_size on t (size, id)");
  database.run("update t set name = upper(name) where size between 100 and 300");
  database.run("delete from t where id % 7 = 3");
  const queries = [
    "select count(*), sum(size), max(name), sum(length(data)) from t",
    "select name, count(*) from t group by name order by 2 desc, 1 limit 50",
    "select a.id, b.id from t a join t b on a.size = b.size and a.id < b.id order by 1, 2 limit 200",
    "select length(hex(zeroblob(9000000)) || hex(zeroblob(6000000)))", // larger than the memory at first
    "select hex(data) from t where name like 'NAME 5%' order by id limit 100",
    "select json_group_array(json_object('id', id, 'name', name)) from (select * from t order by id limit 500)",
  ].map((sql) => digest(JSON.stringify(database.exec(sql))));
  const file = database.export();
  database.close();
  const again = new Database(file);
  const integrity = again.exec("pragma integrity_check");
  again.close();
  return { queries, bytes: file.length, file: digest(file), integrity };
}

describe("sql.js", () => {
  it("gives the same rows and the same file on morecore's heap", async () => {
    const bytes = packageFile("sql.js/dist/sql-wasm-debug.wasm");
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(replacedIn(report)).toMatchObject({ malloc: 2234, free: 2236, realloc: 2238 });
    expect(report.growth).toContain("2244");
    const before = await runWithMemory(() => workload(bytes));
    expectSwapped(before, await runWithMemory(() => workload(swapped)));
  });

  it("is refused in its release build, because realloc was inlined there", async () => {
    const report = await refusal(
      packageFile("sql.js/dist/sql-wasm.wasm"),
      packageText("sql.js/dist/sql-wasm.js"),
    );
    expect(report.refusals.join("\n")).toMatch(/function 1827 .*in a table.*realloc was inlined/);
    const byRole = Object.fromEntries(report.functions.map(({ role, ...each }) => [role, each]));
    expect(byRole["malloc"]).toMatchObject({ index: 244, action: "left" });
    expect(byRole["malloc"]?.evidence).toContain("the glue takes export Ia for _malloc");
    expect(byRole["free"]?.evidence).toContain("the glue takes export Ja for _free");
    expect(byRole["sbrk"]?.index).toBe(434);
  });
});
