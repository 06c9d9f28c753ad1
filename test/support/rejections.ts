// Rejections: those of promises that nobody handles, while a test looks, in Node and in browsers.

/** Runs `body`, waits until rejections have been told, and answers with the reasons of those that nobody handled. */
export async function unhandledRejections(body: () => void): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const stop = listen((reason) => reasons.push(reason));
  body();
  await new Promise((resolve) => setTimeout(resolve, 5));
  stop();
  return reasons;
}

function listen(hear: (reason: unknown) => void): () => void {
  if (typeof process !== "undefined") {
    process.on("unhandledRejection", hear);
    return () => process.off("unhandledRejection", hear);
  }
  const onEvent = (event: Event): void => {
    hear("reason" in event ? event.reason : event);
    event.preventDefault();
  };
  addEventListener("unhandledrejection", onEvent);
  return () => removeEventListener("unhandledrejection", onEvent);
}
