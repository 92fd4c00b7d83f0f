// What the engine has beside ECMAScript itself and a plugin may use, under the names and shapes of a browser's or Node's own types,
// so that a project that has those too sees each once. There is no fetch, no timer that outlives a call, and nothing of Node's.

interface Console {
  /** To standard output and error, which the host logs line by line; `log` of `#poolhouse` says the level as well. */
  log(...data: any[]): void;
  error(...data: any[]): void;
}

declare var console: Console;

interface TextEncoder {
  encode(text?: string): Uint8Array;
}

declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

interface TextDecoder {
  decode(bytes?: ArrayBufferView | ArrayBuffer): string;
}

declare var TextDecoder: { prototype: TextDecoder; new (encoding?: string, options?: { fatal?: boolean }): TextDecoder };

interface Crypto {
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}

declare var crypto: Crypto;

interface Performance {
  /** Milliseconds. */
  now(): number;
}

declare var performance: Performance;
