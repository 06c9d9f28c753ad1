// Makes a release ready: docs/RELEASE.md. Publishes nothing, and commits only when told.
//
//   npm run release -- 0.2.0              tarballs in build/release/0.2.0; versions, lock file and changelog written
//   npm run release -- 0.2.0 --dry-run    all of that, but nothing is written in the checkout
//   npm run release -- 0.2.0 --commit     also the commit and the tag
//
// Exit codes: 0 done; 1 refused, or would be; 2 wrong arguments.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { complaintsOf } from "./release/judge.ts";
import { Refusal } from "./release/refusal.ts";
import { commitCommands, publishCommands, type Released, release } from "./release/release.ts";
import { ROOT } from "./root.ts";

interface Options {
  readonly dryRun?: boolean;
  readonly commit?: boolean;
}

const program = new Command("release")
  .description("make a release of all packages ready to be published")
  .argument("<version>", "as 0.2.0: greater than the last")
  .option("--dry-run", "write nothing in the checkout, and say at the end what would be refused")
  .option("--commit", "make the commit and the tag, too")
  .exitOverride()
  .action(run);

async function run(version: string, { dryRun = false, commit = false }: Options): Promise<void> {
  const released = await release({
    root: ROOT,
    version,
    date: new Date().toISOString().slice(0, 10),
    to: join(ROOT, "build/release", version),
    isDryRun: dryRun,
    build,
    judge: complaintsOf,
  });
  const commands = commitCommands(version, released.written);
  if (commit && !dryRun)
    for (const [name = "", ...args] of commands) execFileSync(name, args, { cwd: ROOT, stdio: "inherit" });
  report(version, released, dryRun, commit && !dryRun ? [] : commands);
}

function build(): void {
  execFileSync("npm", ["run", "build", "--silent"], { cwd: ROOT, stdio: "inherit" });
  try {
    execFileSync("npm", ["run", "build:native", "--silent"], { cwd: ROOT, stdio: "inherit" });
  } catch {
    // It has said what it lacks; whether the library is there is looked at afterwards.
  }
}

function report(version: string, released: Released, isDryRun: boolean, commands: string[][]): void {
  const { tarballs, written, obstacles } = released;
  for (const { manifest, size, unpackedSize, files } of tarballs)
    console.log(
      `${manifest.name}@${version}: ${size} bytes packed, ${unpackedSize} unpacked, ${files.length} files`,
    );
  console.log(
    `publint and arethetypeswrong find nothing. ${isDryRun ? "Would be written" : "Written"}: ${written.join(", ")}`,
  );
  console.log(
    "Nothing is published. To publish, from where npm can vouch for the source (docs/RELEASE.md):\n",
  );
  for (const command of commands) console.log(`  ${command.map(quoted).join(" ")}`);
  for (const command of publishCommands(ROOT, version, tarballs)) console.log(`  ${command}`);
  if (obstacles.length === 0) return;
  console.error(`\nrelease: would be refused: ${obstacles.join("\nrelease: would be refused: ")}`);
  process.exitCode = 1;
}

function quoted(word: string): string {
  return /^[\w@./:-]+$/.test(word) ? word : `'${word}'`;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof Refusal) {
    console.error(`release: ${error.message.replaceAll("\n", "\nrelease: ")}`);
    process.exitCode = 1;
  } else throw error;
}
