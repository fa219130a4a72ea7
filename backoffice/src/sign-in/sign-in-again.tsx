import "./sign-in.css";
import { Dialog } from "../ui/dialog.tsx";
import { SignInForm } from "./sign-in-form.tsx";

/** Asks again over the page when the session has ended: what was typed stays. */
export const SignInAgain = () => (
  <Dialog title="Your session has ended" width={400}>
    <p className="dim small">Sign in to continue where you are. Nothing that you typed is lost.</p>
    <SignInForm />
  </Dialog>
);
