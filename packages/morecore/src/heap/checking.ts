// Checking: whether references are checked where nobody has said.
//
// Owns:  the default of `checking`: on, unless this is production.
// Needs: nothing. There may be no process (a page), or one whose environment may not be read (Deno).
//
// Bundlers put "production" or "development" in the place of `process.env.NODE_ENV`, if it is written in these very words.

/** What Node, Deno and Bun have, and bundlers replace. Declared here, so that nobody needs Node's types. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** Whether a new window on a heap checks references. Never throws. */
export function checkingByDefault(): boolean {
  try {
    return mayRead() ? process.env.NODE_ENV !== "production" : true;
  } catch {
    // A page without a bundler, or an environment that is closed.
    return true;
  }
}

/** What Deno says of its permissions, as far as it is used. */
interface Permissions {
  querySync(of: { readonly name: "env"; readonly variable: string }): { readonly state: string };
}

/** Whether NODE_ENV can be read without a question: Deno would ask whoever sits at the terminal. */
function mayRead(): boolean {
  const { Deno } = globalThis as { Deno?: { permissions?: Permissions } };
  const permission = Deno?.permissions?.querySync({ name: "env", variable: "NODE_ENV" });
  return permission === undefined || permission.state === "granted";
}
