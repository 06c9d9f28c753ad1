// @sqlite.org/sqlite-wasm: SQLite's own build; imports its memory, exports malloc, free and realloc.

import { describe, expect, it } from "vitest";
import {
  digest,
  expectSwapped,
  packageFile,
  replacedIn,
  runWithMemory,
} from "../../../../test/support/swap.ts";
import { swapModule } from "../../src/swap/index.ts";

const WASM = "@sqlite.org/sqlite-wasm/sqlite-wasm/jswasm/sqlite3.wasm";
const ROWS = 50_000;

interface Statement {
  bind(values: unknown[]): Statement;
  stepReset(): Statement;
  finalize(): void;
}
interface Database {
  exec(sql: string, options?: { returnValue: "resultRows" }): unknown[][];
  prepare(sql: string): Statement;
  selectValue(sql: string): unknown;
  pointer: number;
  close(): void;
}
interface Sqlite3 {
  oo1: { DB: new (name: string, flags: string) => Database };
  capi: { sqlite3_js_db_export(pointer: number): Uint8Array };
}
type Init = (config: object) => Promise<Sqlite3>;

async function workload(wasmBinary: Uint8Array) {
  // It is written for browsers and asks for `self`.
  const scope = globalThis as { self?: unknown };
  scope.self = Object.assign(Object.create(globalThis), { location: new URL(import.meta.url) });
  const file: string = `../../../../node_modules/${WASM.replace(".wasm", ".mjs")}`;
  // The package has no types for this file.
  const module = (await import(file)) as { default: Init };
  const quiet = () => undefined;
  const sqlite3 = await module.default({ wasmBinary, print: quiet, printErr: quiet });
  const database = new sqlite3.oo1.DB(":memory:", "c");
  database.exec("create table t (id integer primary key, word text, size real, data blob); begin");
  const insert = database.prepare("insert into t values (?, ?, ?, ?)");
  for (let id = 0; id < ROWS; id++) {
    const key = (id * 6271) % 9973;
    insert
      .bind([id, `word ${key}${"-".repeat(key % 120)}`, key / 7, new Uint8Array(key % 400).fill(key)])
      .stepReset();
  }
  insert.finalize();
  database.exec("commit; create index by_word on t (word); create index by_size on t (size, id)");
  database.exec("update t set word = word || ' changed' where id % 11 = 2; delete from t where id % 13 = 5");
  const queries = [
    "select count(*), sum(size), max(word), sum(length(data)) from t",
    "select word, count(*) from t group by word order by 2 desc, 1 limit 100",
    "with recursive c (n) as (select 1 union all select n + 1 from c where n < 20000) select sum(n * n) from c",
    "select a.id, b.id from t a join t b on a.size = b.size and a.id < b.id order by 1, 2 limit 500",
    "select group_concat(word, '|') from (select word from t order by size, id limit 3000)",
  ].map((sql) => digest(JSON.stringify(database.exec(sql, { returnValue: "resultRows" }))));
  const exported = sqlite3.capi.sqlite3_js_db_export(database.pointer);
  const integrity = database.selectValue("pragma integrity_check");
  database.close();
  return { queries, integrity, bytes: exported.length, exported: digest(exported) };
}

describe("@sqlite.org/sqlite-wasm", () => {
  it("gives the same rows and the same file on morecore's heap", async () => {
    const bytes = packageFile(WASM);
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(replacedIn(report)).toEqual({ malloc: 2660, free: 2661, realloc: 2662 });
    expect(report.growth).toContain("2666");
    const before = await runWithMemory(() => workload(bytes));
    expect(before.result.integrity).toBe("ok");
    expectSwapped(before, await runWithMemory(() => workload(swapped)));
  });
});
