// Repository: where the sources are to be found, for those who see a package only.
//
// Owns:  what the packages say of that, and what is wrong with an address.
// Needs: "repository" of the workspace's package.json: whoever publishes writes it there, once, and nowhere else.
//
// npm refuses a provenance statement whose repository is not that of package.json; only these two hosts can make one.

const HOSTS = ["github.com", "gitlab.com"];
const HOW =
  "npm pkg set repository.type=git repository.url=git+https://github.com/OWNER/NAME.git, and commit that";

/** Throws when what package.json says is no address that can be published; undefined: it says nothing. */
export function webAddress(repository: unknown): string | undefined {
  if (repository === undefined) return undefined;
  const url = typeof repository === "object" && repository !== null && "url" in repository && repository.url;
  const found = typeof url === "string" ? plainAddress(url) : undefined;
  if (found !== undefined && /^git\+https:.*\.git$/.test(String(url))) return found;
  throw new Error(
    `"repository" in package.json is ${JSON.stringify(repository)}: it must be an object whose url is ` +
      `git+https://HOST/OWNER/NAME.git, and HOST ${HOSTS.join(" or ")}: ${HOW}`,
  );
}

/** https://HOST/OWNER/NAME of any way to write a clone's address; undefined: of another host. */
export function plainAddress(url: string): string | undefined {
  const [, host = "", path = ""] =
    /^(?:git\+)?(?:(?:https|ssh|git):\/\/(?:[^@/]+@)?|git@)([^/:]+)[/:](.+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return HOSTS.includes(host) && /^[\w.-]+(?:\/[\w.-]+)+$/.test(path) ? `https://${host}/${path}` : undefined;
}

/** Why a package that names this address could not be published from here; "": it could. */
export function whyNoAddress(address: string | undefined, origin: string | undefined): string {
  if (address === undefined)
    return `"repository" is not set in package.json: npm shows it, and checks it for provenance: ${HOW}`;
  if (origin !== undefined && plainAddress(origin)?.toLowerCase() !== address.toLowerCase())
    return `"repository" in package.json is ${address}, but the remote "origin" is ${origin}: they must be the same`;
  return "";
}

/** What a package's manifest says of where its sources are. */
export function addressFields(address: string | undefined, folder: string): object {
  if (address === undefined) return {};
  return {
    homepage: `${address}/tree/HEAD/${folder}#readme`,
    bugs: `${address}/issues`,
    repository: { type: "git", url: `git+${address}.git`, directory: folder },
  };
}
