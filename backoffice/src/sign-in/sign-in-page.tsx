import "./sign-in.css";
import { wasLinkRefused } from "../api/session.ts";
import { Brand } from "../shell/logo.tsx";
import { SignInForm } from "./sign-in-form.tsx";

/** The page without a session. */
export const SignInPage = () => (
  <main className="sign-in">
    <div className="card">
      <Brand size={30} />
      <h1>Sign in</h1>
      <p className="dim small">Use a credential that an admin issued, or the link that the first start printed.</p>
      {wasLinkRefused() && (
        <p className="field-error" role="alert">
          This link was used before, or it has expired. Use a credential, or print another link.
        </p>
      )}
      <SignInForm />
      <p className="dim tiny">The session ends after 12 hours by default, or when you sign out.</p>
    </div>
  </main>
);
