// A strategy that makes the mistake that its row asks for, at its third bar.

import { Failure } from "#poolhouse";
import type { Parameters, Signal, StrategyClass, Description } from "#poolhouse";

export class Mistakes {
  readonly mistake: string;
  bars = 0;

  static readonly description: Description = {
    summary: "Makes a mistake.",
    parameters: { mistake: { kind: "text", summary: "Which" } },
  };

  constructor(parameters: Parameters) {
    this.mistake = parameters.text("mistake");

  }

  warmUpBars(): number {
    return 0;
  }

  onBar(): Signal[] {
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
        return "buy" as unknown as Signal[];
      case "loop":
        for (;;) {}
      case "memory": {
        const kept: Uint8Array[] = [];
        for (;;) {
          kept.push(new Uint8Array(1 << 20).fill(1));
        }
      }
    }
    return [];
  }
}

export const strategy: StrategyClass = Mistakes;
