import { CircleAlert } from "lucide-react";
import { hasStatus, Problem } from "../api/problem.ts";
import { Button } from "./button.tsx";
import "./error-note.css";

/**
 * What failed, beside the act: the reason, and the request id to ask with. Nothing if the session had ended: the operator
 * signs in again over the page, and the failure is past then.
 */
export function ErrorNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (hasStatus(error, 401)) return null;
  const id = error instanceof Problem ? error.requestId : undefined;
  return (
    <div className="error-note" role="alert">
      <CircleAlert size={16} aria-hidden />
      <div className="grow">
        {textOf(error)}
        {id && (
          <button
            type="button"
            className="error-note-id"
            title="Copy the request id"
            onClick={() => void navigator.clipboard?.writeText(id)}
          >
            Request {id.slice(0, 8)}
          </button>
        )}
      </div>
      {onRetry && (
        <Button isCompact onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** The sentence for an error. */
export function textOf(error: unknown): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return "The session had ended. Try again.";
  if (error.code === "insufficient-scope") return "Needs an editor.";
  return error.message;
}
