// Stats: medians and spread, and what the subtraction of the empty loop does to them.

import { describe, expect, test } from "vitest";
import { net, scale, spread, summarize } from "../harness/stats.ts";
import { sampleText } from "../harness/tables.ts";

describe("of several rounds", () => {
  const five = summarize([14, 10, 30, 12, 11]);

  test("the five numbers are those of a box plot, whatever the order", () => {
    expect(five).toEqual({ median: 12, min: 10, lowerQuartile: 11, upperQuartile: 14, max: 30, count: 5 });
    expect(summarize([4, 1, 3, 2])).toMatchObject({ median: 2.5, lowerQuartile: 1.75, upperQuartile: 3.25 });
  });

  test("the spread is half the distance of the quartiles over the median, and no matter of one wild round", () => {
    expect(spread(five)).toBe(1.5 / 12);
    expect(spread(summarize([14, 10, 3000, 12, 11]))).toBe(1.5 / 12);
  });

  test("the empty loop is taken off all of them: the spread stays as wide, and is more of what is left", () => {
    const left = net(five, summarize([6, 6, 7]));
    expect(left).toEqual({ median: 6, min: 4, lowerQuartile: 5, upperQuartile: 8, max: 24, count: 5 });
    expect(spread(left)).toBe(1.5 / 6);
  });

  test("where the empty loop took longer, a hundredth is left", () => {
    expect(net(summarize([2, 2]), summarize([3])).median).toBe(0.02);
  });

  test("another unit changes no spread", () => {
    expect(spread(scale(five, 1000))).toBe(spread(five));
  });

  test("a cell shows it in per cent", () => {
    expect(sampleText(five, 1)).toBe("12.0 ±13% (10.0)");
  });
});

test("a single round has no spread, and none is shown", () => {
  expect(spread(summarize([5]))).toBeUndefined();
  expect(sampleText(summarize([5]), 0)).toBe("5 (5)");
});
