// Page: runs the suite in a browser, and posts the answer to the server that the page came from.

import { both } from "./both.ts";

const post = (kind: string, text: string): Promise<unknown> =>
  fetch(`/${kind}`, { method: "POST", body: text });

try {
  const answer = await both({
    only: new URLSearchParams(location.search).get("only") ?? "",
    // Not awaited: it is looked at only if no answer comes.
    onFile: (file) => void post("began", file),
  });
  await post("answer", JSON.stringify(answer));
} catch (error) {
  await post(
    "error",
    error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error),
  );
}
