// Orders: some threads' calls, in every order of their steps. After each, all memory comes back, no block is lost or given twice, and
// all that check-common.ts asks for holds.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ALL_ORDERS } from "./all-orders.ts";
import { type ScheduledKernel, scheduledKernel } from "./scheduled.ts";

/** With fewer, threads no longer meet where they did. */
const LEAST_ORDERS = 3;

const lines: string[] = [];
let kernel: ScheduledKernel;

beforeAll(async () => {
  kernel = await scheduledKernel();
});

afterAll(() => {
  console.log(`orders, moments, shared words:\n${lines.join("\n")}`);
});

test.each(ALL_ORDERS)("$name", ({ name, explore }) => {
  const { orders, states, shared } = explore(kernel);
  lines.push(`${orders.toLocaleString("en")}, ${states}, ${shared}: ${name}`);
  expect(orders).toBeGreaterThanOrEqual(LEAST_ORDERS);
});
