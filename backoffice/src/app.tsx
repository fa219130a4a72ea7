import { useRef } from "react";
import { useSession, useSessionElsewhere, useSessionFailure } from "./api/session.ts";
import { Shell } from "./shell/shell.tsx";
import { SignInAgain } from "./sign-in/sign-in-again.tsx";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { ErrorNote } from "./ui/error-note.tsx";

/** Nothing, which leaves the frame of the document in view, the sign-in page, or the shell. If the session ends, the shell stays below a dialog. */
export function App() {
  const session = useSession();
  const failure = useSessionFailure();
  const wasSignedIn = useRef(false);
  useSessionElsewhere();
  if (session) wasSignedIn.current = true;
  if (failure) {
    return (
      <main className="page">
        <ErrorNote error={failure.error} onRetry={failure.retry} />
      </main>
    );
  }
  if (session === undefined) return null;
  if (session === null && !wasSignedIn.current) return <SignInPage />;
  return (
    <>
      <Shell />
      {session === null && <SignInAgain />}
    </>
  );
}
