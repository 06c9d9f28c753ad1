// swap: the command `morecore swap app.wasm -o out.wasm`.
//
// Owns:  the arguments, the table of what was found, and the exit code.
// Needs: commander, cli-table3, wasm/swap, files.

import { GlueError, inspectModule, SwapRefusedError, type SwapReport, swapModule } from "@morecore/wasm/swap";
import Table from "cli-table3";
import { type Command, Option } from "commander";
import { checkWritable, complain, readInput, whyNotDone, writeOutput } from "./files.ts";

interface SwapCommandOptions {
  readonly output?: string;
  readonly glue?: string;
  readonly dryRun?: true;
  readonly keepImports?: true;
}

const SWAPPED = 0;
const REFUSED = 1;
const BAD_USE = 2;

export function addSwapCommand(morecore: Command): void {
  const swap = morecore
    .command("swap")
    .description("replace the malloc inside a prebuilt WebAssembly module")
    .showHelpAfterError("\nUsage: morecore swap [options] <app.wasm>\nmorecore swap --help tells more.")
    .argument("<app.wasm>", "the module; it is not changed")
    .option("-o, --output <file>", "where the swapped module is written")
    .option("--glue <app.js>", "the module's JavaScript, to know malloc by when exports' names are minified")
    .addOption(new Option("--dry-run", "say what was found and what would be done; write nothing"))
    .option("--keep-imports", 'leave the kernel\'s functions as imports of module "morecore"')
    .addHelpText("after", SWAP_HELP)
    .action(async (file: string, options: SwapCommandOptions) => {
      if (options.output === undefined && options.dryRun === undefined)
        swap.error("error: say where to write: -o out.wasm, or --dry-run to write nothing");
      process.exitCode = await runSwap(file, options);
    });
}

const SWAP_HELP = `
It finds Doug Lea's malloc, as Emscripten and wasi-libc compile it, by the addresses of its state in the code, and by
names in exports, in the name section and in the glue. All evidence must agree, and after the swap no function may use the
old state; else the module is refused, and nothing is written. docs/SWAP.md tells how it decides.

Exit code: 0 swapped (or, with --dry-run, it could be); 1 refused, with the reason; 2 wrong arguments, or a file that
cannot be read or written.`;

/** Does what the command says, and returns the exit code. */
export async function runSwap(file: string, options: SwapCommandOptions): Promise<number> {
  try {
    const { output } = options;
    if (output !== undefined) checkWritable(output);
    const bytes = readInput(file);
    const glue =
      options.glue === undefined ? {} : { glue: new TextDecoder().decode(readInput(options.glue)) };
    // The action has made sure that one of the two is there.
    if (options.dryRun !== undefined || output === undefined) {
      const report = inspectModule(bytes, glue);
      return tell(file, report, "would be swapped");
    }
    const { bytes: swapped, report } = await swapModule(bytes, {
      ...glue,
      keepImports: options.keepImports ?? false,
    });
    writeOutput(output, swapped);
    return tell(file, report, `swapped: ${output}, ${bytes.length} bytes before, ${swapped.length} now`);
  } catch (error) {
    if (error instanceof SwapRefusedError) return tell(file, error.report, "");
    const why = error instanceof GlueError ? `${options.glue}: ${error.message}` : whyNotDone(file, error);
    if (why === undefined) throw error;
    complain(why);
    return BAD_USE;
  }
}

function tell(file: string, report: SwapReport, success: string): number {
  process.stdout.write(reportText(report));
  if (report.refusals.length === 0) {
    process.stdout.write(`${file} ${success}\n`);
    return SWAPPED;
  }
  for (const refusal of report.refusals) complain(`${file}: refused: ${refusal}`);
  return REFUSED;
}

/** The table of the functions found, with what is known of the allocator above it. */
export function reportText({ allocator, stateBlock, functions, growth, room, notes }: SwapReport): string {
  const lines = [`allocator: ${allocator}`];
  if (stateBlock !== undefined)
    lines.push(
      `its state: at ${stateBlock.relative ? "__memory_base + " : ""}${stateBlock.address}`,
      `memory grows by: ${growth}`,
    );
  if (room !== undefined) lines.push(`its part of the first memory: from ${room} to the end`);
  lines.push(...notes.map((note) => `note: ${note}`));
  const table = new Table({
    head: ["function", "name", "role", "", "evidence"],
    colWidths: [null, 26, null, null, 62],
    wordWrap: true,
    style: { head: process.stdout.isTTY ? ["bold"] : [], border: [], compact: true },
  });
  for (const { index, name, exportedAs, role, action, evidence } of functions)
    table.push([index, name ?? exportedAs.join(", "), role, action, evidence.join("\n")]);
  if (functions.length > 0) lines.push(table.toString());
  return `${lines.join("\n")}\n`;
}
