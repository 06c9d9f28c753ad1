/** Writes src/steps, bundled with a library whose loads and stores are counted, to `file`. */
export declare function bundleSteps(file: string): Promise<void>;
