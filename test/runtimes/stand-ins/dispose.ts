// Symbol.dispose, where an engine has none: WebKitGTK 2.50. Programs that compile `using` for such engines bring one along.

if (Symbol.dispose === undefined)
  Object.defineProperty(Symbol, "dispose", { value: Symbol.for("Symbol.dispose") });

export {};
