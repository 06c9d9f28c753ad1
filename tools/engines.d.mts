/** The names of engines that `npm run engines` fetches. */
export declare const ENGINES: readonly string[];
/** The words that start an engine; undefined: it has not been fetched. */
export declare function engineCommand(name: string): readonly string[] | undefined;
