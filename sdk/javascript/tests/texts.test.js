// That a text is read as it is stored, whatever it begins with.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../columns.js";

test("a byte order mark is a part of the text", () => {
  for (const text of ["", "\ufeff", "\ufeffa", "\ufeff\ufeff", "ä\ufeff", "🌍"]) {
    assert.equal(decode(new TextEncoder().encode(text)), text);
  }
});
