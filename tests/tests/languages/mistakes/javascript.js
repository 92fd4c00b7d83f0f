// A strategy that makes the mistake that its row asks for, at its third bar.

import { Failure } from "#poolhouse";

export class Mistakes {
  static description = {
    summary: "Makes a mistake.",
    parameters: { mistake: { kind: "text", summary: "Which" } },
  };

  constructor(parameters) {
    this.mistake = parameters.text("mistake");
    this.bars = 0;
  }

  warmUpBars() {
    return 0;
  }

  onBar() {
    this.bars += 1;
    if (this.bars < 3) {
      return [];
    }
    switch (this.mistake) {
      case "error":
        throw new Failure("the market is closed");
      case "exception":
        throw new TypeError("no such price");
      case "wrong-type":
        return "buy";
      case "loop":
        for (;;) {}
      case "memory": {
        const kept = [];
        for (;;) {
          kept.push(new Uint8Array(1 << 20).fill(1));
        }
      }
    }
    return [];
  }
}

export const strategy = Mistakes;
