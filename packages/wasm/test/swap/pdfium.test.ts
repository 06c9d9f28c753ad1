// @hyzyla/pdfium: a large module in C++; memalign and calloc are known by their shapes only.

import { PDFiumLibrary } from "@hyzyla/pdfium";
import { describe, expect, it } from "vitest";
import {
  digest,
  expectSwapped,
  packageFile,
  replacedIn,
  runWithMemory,
} from "../../../../test/support/swap.ts";
import { swapModule } from "../../src/swap/index.ts";

const PAGES = 4;

/** A PDF with text and filled shapes on each page, and a cross-reference table. */
function makePdf(): Uint8Array {
  const kids = Array.from({ length: PAGES }, (_, page) => `${4 + 2 * page} 0 R`).join(" ");
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${PAGES} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  for (let page = 0; page < PAGES; page++) {
    const lines = Array.from(
      { length: 40 },
      (_, line) => `BT /F 14 Tf 50 ${760 - line * 18} Td (Page ${page} line ${line}: malloc and free) Tj ET`,
    );
    const boxes = Array.from(
      { length: 60 },
      (_, box) =>
        `${((box * 7) % 10) / 10} ${((box + page) % 10) / 10} 0.5 rg ${box * 9} ${box * 11} 80 40 re f`,
    );
    const contents = [...boxes, "0 g", ...lines].join("\n");
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${5 + 2 * page} 0 R /Resources << /Font << /F 3 0 R >> >> >>`,
      `<< /Length ${contents.length} >>\nstream\n${contents}\nendstream`,
    );
  }
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  text += `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return new TextEncoder().encode(text);
}

async function workload(wasmBinary: Uint8Array) {
  const library = await PDFiumLibrary.init({ wasmBinary: wasmBinary.slice().buffer as ArrayBuffer });
  const document = await library.loadDocument(makePdf());
  const pages: unknown[] = [];
  for (const page of document.pages()) {
    // Rendering closes the page: what else is asked of it comes before.
    const objects = [...page.objects()].map(({ type }) => type);
    const text = page.getText();
    const { width, height, data } = await page.render({ scale: 4, render: "bitmap" });
    pages.push([page.number, width, height, digest(data), text, objects]);
  }
  document.destroy();
  library.destroy();
  return pages;
}

describe("@hyzyla/pdfium", () => {
  it("renders the same pixels on morecore's heap", async () => {
    const bytes = packageFile("@hyzyla/pdfium/dist/pdfium.wasm");
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(Object.keys(replacedIn(report)).sort()).toEqual([
      "calloc",
      "free",
      "malloc",
      "memalign",
      "realloc",
    ]);
    const before = await runWithMemory(() => workload(bytes));
    expect(before.result).toHaveLength(PAGES);
    expectSwapped(before, await runWithMemory(() => workload(swapped)));
  });
});
