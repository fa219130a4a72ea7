import { type FormEvent, useState } from "react";
import { hasStatus } from "../api/problem.ts";
import { useSignIn } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";

/** Exchanges a credential for a session. The credential is sent in a body, and kept nowhere. */
export function SignInForm() {
  const { signIn } = useSignIn();
  const [credential, setCredential] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const isRefused = hasStatus(error, 401, 403);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    await signIn({ credential: credential.trim() }).catch((reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  return (
    <form className="sign-in-form" onSubmit={(event) => void submit(event)}>
      <Field
        label="Credential"
        type="password"
        autoComplete="current-password"
        data-autofocus
        ref={(input) => input?.focus()}
        required
        value={credential}
        onChange={(event) => setCredential(event.target.value)}
        error={isRefused && "This credential is unknown or was revoked. Ask an admin for a new one."}
      />
      {error !== undefined && !isRefused && <ErrorNote error={error} />}
      <Button look="primary" type="submit" disabled={isBusy}>
        Sign in
      </Button>
    </form>
  );
}
