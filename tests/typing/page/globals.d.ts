// What the page uses besides what TypeScript knows of browsers.

/** https://github.com/leeoniya/uPlot, vendored as a script. */
declare const uPlot: any;

interface Uint8ArrayConstructor {
  /** In browsers of 2025; `inflate.js` does without it where it is not there. */
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}
