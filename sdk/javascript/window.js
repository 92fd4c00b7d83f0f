// The last few numbers of a series, and what a strategy remembers of each symbol; what they mean is the strategy's.

/**
 * Documented in strategy.d.ts.
 */
export class Window {
  #numbers;
  #end = 0;
  #length;

  constructor(length) {
    if (!Number.isSafeInteger(length)) {
      throw new RangeError(`a window's length is a whole number, not ${length}`);
    }
    this.#length = Math.max(length, 1);
    this.#numbers = new Float64Array(Math.min(2 * this.#length, 64));
  }

  get length() {
    return this.#length;
  }

  get isFull() {
    return this.#end >= this.#length;
  }

  push(number) {
    let numbers = this.#numbers;
    if (this.#end === numbers.length) {
      numbers = this.#makeRoom();
    }
    numbers[this.#end++] = number;
  }

  newest(count) {
    return this.#numbers.subarray(this.#start(count), this.#end);
  }

  values() {
    return this.newest(this.#length);
  }

  sum() {
    return this.#sum(this.#length);
  }

  meanOfNewest(count) {
    const there = this.#end < this.#length ? this.#end : this.#length;
    return count > 0 && count <= there ? this.#sum(count) / count : undefined;
  }

  maximum() {
    const numbers = this.#numbers;
    const end = this.#end;
    let maximum = -Infinity;
    for (let i = this.#start(this.#length); i < end; i++) {
      if (numbers[i] > maximum) {
        maximum = numbers[i];
      }
    }
    return maximum;
  }

  minimum() {
    const numbers = this.#numbers;
    const end = this.#end;
    let minimum = Infinity;
    for (let i = this.#start(this.#length); i < end; i++) {
      if (numbers[i] < minimum) {
        minimum = numbers[i];
      }
    }
    return minimum;
  }

  #start(count) {
    return Math.max(this.#end - Math.min(count, this.#length), 0);
  }

  // Afresh and oldest first: floating-point sums depend on their order, and every language of the house adds in this one. Eight
  // to a turn, for the engine interprets, and a turn costs as much as an addition.
  #sum(count) {
    const numbers = this.#numbers;
    const end = this.#end;
    let i = this.#start(count);
    let sum = 0;
    for (const last = end - 7; i < last; i += 8) {
      sum = sum + numbers[i] + numbers[i + 1] + numbers[i + 2] + numbers[i + 3];
      sum = sum + numbers[i + 4] + numbers[i + 5] + numbers[i + 6] + numbers[i + 7];
    }
    for (; i < end; i++) {
      sum += numbers[i];
    }
    return sum;
  }

  // Twice the window's length at most, so that most pushes move nothing.
  #makeRoom() {
    const numbers = this.#numbers;
    if (numbers.length === 2 * this.#length) {
      numbers.copyWithin(0, this.#length + 1);
      this.#end = this.#length - 1;
      return numbers;
    }
    const larger = new Float64Array(Math.min(2 * numbers.length, 2 * this.#length));
    larger.set(numbers);
    this.#numbers = larger;
    return larger;
  }
}

/**
 * Documented in strategy.d.ts.
 */
export class PerSymbol {
  #make;
  #seen = new Map();

  constructor(make) {
    this.#make = make;
  }

  of(symbol) {
    let seen = this.#seen.get(symbol);
    if (seen === undefined) {
      seen = this.#make(symbol);
      this.#seen.set(symbol, seen);
    }
    return seen;
  }
}
