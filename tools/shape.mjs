// Shape: which function of the wasm kernel has its own copy of what, and where each finds the heap.
//
// Works on a module's text as binaryen writes it: a function begins with a line " (func $name (param $x i32) …", its
// locals follow, a line each. Binaryen's API can neither copy a function nor rename a local.

/** The functions of a module's text, name to text, in their order. The module's own last parenthesis is in none. */
export function functionsIn(text) {
  const functions = new Map();
  for (const part of partsOf(text).slice(1)) functions.set(/^ \(func \$(\S+)/.exec(part)[1], part);
  return functions;
}

/** What comes before the first function, then each function. */
function partsOf(text) {
  return text.replace(/\)\s*$/, "").split(/^(?= \(func \$)/m);
}

function joined(text, functions) {
  return `${partsOf(text)[0]}${[...functions].join("")})\n`;
}

/**
 * Gives each hot function copies of its own of all functions that it calls, and that those call, but for `hot` and `rare`
 * ones. A copy of g for f is named g@f. To inline the copies leaves the functions that others call as they are.
 */
export function withCopies(text, hot, rare) {
  const functions = functionsIn(text);
  const shaped = new Map(functions);
  const isCopied = (name) => !hot.has(name) && !rare.has(name) && functions.has(name);
  const callingCopies = (name, owner) => {
    const copyOf = (callee) => {
      const copy = `${callee}@${owner}`;
      if (!shaped.has(copy)) {
        shaped.set(copy, "");
        shaped.set(
          copy,
          callingCopies(callee, owner).replace(`(func $${callee} `, () => `(func $${copy} `),
        );
      }
      return copy;
    };
    return functions
      .get(name)
      .replace(/\(call \$([^\s()]+)/g, (call, callee) =>
        isCopied(callee) ? `(call $${copyOf(callee)}` : call,
      );
  };
  for (const name of hot) shaped.set(name, callingCopies(name, name));
  return joined(text, shaped.values());
}

/**
 * Lets each function with a parameter `heap` read the global of that name instead, which is what callers pass; a hot one
 * reads it once. Copies, which are to be inlined, take it from their owner.
 */
export function heapFromGlobal(text, hot) {
  const shaped = [];
  for (const [name, body] of functionsIn(text)) {
    if (!/^.*\(param \$heap i32\)/.test(body) || name.includes("@")) shaped.push(body);
    else if (/\(local\.(set|tee) \$heap\b/.test(body))
      throw new Error(`tools/shape.mjs: ${name} changes its heap`);
    else if (hot.has(name)) shaped.push(readingOnce(body));
    else shaped.push(body.replaceAll("(local.get $heap)", "(global.get $heap)"));
  }
  return joined(text, shaped);
}

/** The function with a local `heap` in place of the parameter, which stays, unused. */
function readingOnce(body) {
  const lines = body.replace("(param $heap i32)", "(param $unused i32)").split("\n");
  const first = lines.findIndex((line, index) => index > 0 && !/^ {2}\(local \$/.test(line));
  lines.splice(first, 0, "  (local $heap i32)", "  (local.set $heap (global.get $heap))");
  return lines.join("\n");
}
