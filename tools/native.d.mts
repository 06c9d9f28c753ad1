export declare const LIBRARY: string;
/** Those of the tools that are missing, as sentences. */
export declare function missingTools(): string[];
/** Makes the library and returns its path. */
export declare function buildNative(): Promise<string>;
