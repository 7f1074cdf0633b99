import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export type EventSummary = Schemas["EventSummary"];
export type EventDetail = Schemas["EventDetail"];
export type CameraSummary = Schemas["CameraSummary"];
export type CameraDetail = Schemas["CameraDetail"];
export type Zone = Schemas["Zone"];

/** What the server answered instead of what was asked for; `problem` is RFC 9457. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }
}

/** No answer at all: the server is away, or the network is. */
export class NetworkError extends Error {}

const SESSION_CHANGED = "cityvision:session";

/** Called whenever an answer says that nobody is logged in any more, or that the password must be changed. */
export function onSessionChange(listener: () => void): () => void {
  window.addEventListener(SESSION_CHANGED, listener);
  return () => window.removeEventListener(SESSION_CHANGED, listener);
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "detail" in value;
}

function asProblem(status: number, body: unknown): Problem {
  if (isProblem(body)) return body;
  return { type: "about:blank", title: "", status, detail: `HTTP ${status}`, code: `http_${status}`, fix: "", faults: [] };
}

export const client = createClient<paths>({ baseUrl: window.location.origin, credentials: "same-origin" });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer. Throws ApiError or NetworkError. */
export async function take<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    throw new NetworkError(String(error));
  }
  if (answer.response.ok) return answer.data as T;
  const problem = asProblem(answer.response.status, answer.error);
  if (answer.response.status === 401 || problem.code === "password_change_required") {
    window.dispatchEvent(new Event(SESSION_CHANGED));
  }
  throw new ApiError(answer.response.status, problem);
}
