import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export type EventSummary = Schemas["EventSummary"];
export type EventDetail = Schemas["EventDetail"];
export type CameraSummary = Schemas["CameraSummary"];
export type CameraDetail = Schemas["CameraDetail"];
export type Zone = Schemas["Zone"];
export type Case = Schemas["Case"];
export type CaseDetail = Schemas["CaseView"];

/** What the server answered instead of what was asked for; `problem` is RFC 9457. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** after how many seconds another try may succeed, where the server says so */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail);
  }
}

/** No answer at all: the server is away, or the network is. */
export class NetworkError extends Error {}

/** A file is another than when it was chosen, or gone; the message is its name. */
export class FileChanged extends Error {}

/** A copy of a file that no longer changes. Throws FileChanged. */
export async function held(file: File): Promise<File> {
  try {
    return new File([await file.arrayBuffer()], file.name, { type: file.type });
  } catch {
    throw new FileChanged(file.name); // a browser lets nobody read what was not chosen
  }
}

const SESSION_CHANGED = "cityvision:session";

const IN_THE_WAY = ["password_change_required", "second_factor_required", "second_factor_setup_required"];

/** Calls `listener` whenever an answer says that nobody is logged in any more, or that something must be done first;
 * returns how to stop that. */
export function onSessionChange(listener: () => void): () => void {
  window.addEventListener(SESSION_CHANGED, listener);
  return () => window.removeEventListener(SESSION_CHANGED, listener);
}

type Method = "get" | "post" | "put" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];
type Operation<M extends Method, P extends keyof paths> = paths[P] extends Record<M, infer O> ? O : never;
type Json<T> = T extends { content: { "application/json": infer J } } ? J : undefined;
type Answer<O> = O extends { responses: { 200: infer R } | { 201: infer R } } ? Json<R> : undefined;

/** What an operation takes, by the server's own contract. */
type Asked<O> = O extends {
  parameters: { path?: infer P; query?: infer Q; header?: infer H };
  requestBody?: infer B;
}
  ? { path?: P; query?: Q; header?: H; body?: Json<NonNullable<B>> }
  : never;

type Values = Record<string, unknown>;

function address(path: string, inPath: Values, query: Values): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) search.append(name, String(one));
    }
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const unknown = {
    type: "about:blank",
    title: "",
    status,
    detail: `HTTP ${status}`,
    code: `http_${status}`,
  };
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) {
    return { ...unknown, fix: "", faults: [] };
  }
  return (await response.json()) as Problem;
}

/** Calls one operation of the API.
 *
 * Throws ApiError when the server refuses, NetworkError when it does not answer. */
export async function call<M extends Method, P extends PathsWith<M>>(
  method: M,
  path: P,
  asked: Asked<Operation<M, P>> | Record<string, never> = {},
): Promise<Answer<Operation<M, P>>> {
  const { path: inPath = {}, query = {}, header = {}, body } = asked as Partial<Record<string, Values>>;
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  for (const [name, value] of Object.entries(header)) headers[name] = String(value);
  const response = await answered(address(path, inPath, query), {
    method: method.toUpperCase(),
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return (response.status === 204 ? undefined : await response.json()) as Answer<Operation<M, P>>;
}

/** Sends a file as it is. Throws as `call`. */
export function upload<T>(path: string, file: File): Promise<T> {
  return send<T>(path, file, { "content-type": file.type || "application/octet-stream" });
}

/** Sends a form with files, whose headers the browser writes. Throws as `call`. */
export async function send<T>(
  path: string,
  body: FormData | File,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await answered(path, { method: "POST", headers, body });
  return (await response.json()) as T;
}

/** Asks for a file, and hands it to the browser to keep. Throws as `call`. */
export async function download(path: string, body: Values, name: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await answered(path, { method: "POST", headers, body: JSON.stringify(body) });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

async function answered(path: string, asked: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...asked });
  } catch (error) {
    throw new NetworkError(String(error));
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 || IN_THE_WAY.includes(problem.code)) {
      window.dispatchEvent(new Event(SESSION_CHANGED));
    }
    const wait = Number(response.headers.get("retry-after"));
    throw new ApiError(response.status, problem, wait > 0 ? wait : null);
  }
  return response;
}
