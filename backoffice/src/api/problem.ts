/** A response of the API that is not a success: RFC 9457 problem details. Also thrown if there was no response. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** The HTTP status; 0 if the service did not respond. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  /** The faults of a body, by JSON pointer. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  /** On `changed-since`: the later change, if the event log has it. */
  readonly later: { readonly event: string; readonly by: string; readonly at: string } | undefined;

  constructor(status: number, body: Partial<ProblemBody> = {}) {
    super(body.detail ?? body.title ?? (status === 0 ? "Tidegate did not respond." : `Tidegate returned ${status}.`));
    this.status = status;
    this.code = body.code ?? "";
    this.requestId = body.requestId;
    this.errors = body.errors ?? [];
    this.later = body.later;
  }
}

type ProblemBody = {
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors: Problem["errors"];
  readonly later: Problem["later"];
};

/** The problem in a response that is not a success. */
export async function problemOf(response: Pick<Response, "headers" | "json" | "status">): Promise<Problem> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  const body: Partial<ProblemBody> = isProblem ? await response.json().catch(() => ({})) : {};
  return new Problem(response.status, body);
}

/** Whether an error is a problem with one of these statuses. */
export const hasStatus = (error: unknown, ...statuses: readonly number[]): error is Problem =>
  error instanceof Problem && statuses.includes(error.status);
