import type { ApiError } from "./client";

/** A name that nobody else gives; `crypto.randomUUID` is not there without HTTPS. */
export function freshId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
}

const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

/** How long to wait after so many tries in vain, ms; the server may ask for longer, s. */
export function patience(tries: number, asked: number | null): number {
  return Math.max(Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 10)), (asked ?? 0) * 1000);
}

/** Whether the same may be answered otherwise later: not by a refusal of what was sent. */
export function mayPass({ status, problem }: ApiError): boolean {
  const inTheWay = status === 403 && problem.code !== "forbidden"; // a second step, a password to be changed
  return status >= 500 || status === 401 || status === 408 || status === 409 || status === 429 || inTheWay;
}
