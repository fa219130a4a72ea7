import "./look-up-form.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useId, useState } from "react";
import { links } from "../routing/links.ts";
import { navigate } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SearchField } from "../ui/field.tsx";
import { toast } from "../ui/toasts.tsx";
import { lookUp, usersWith } from "./look-up.ts";

/** Finds a person by user id or token. A token goes into a request body only. */
export function LookUpForm({ label, isCompact = false }: { readonly label: string; readonly isCompact?: boolean }) {
  const [text, setText] = useState("");
  const list = useId();
  const suggestions = useQuery(usersWith(useDeferredValue(text.trim()))).data ?? [];
  const [unknown, setUnknown] = useState<string>();
  const [error, setError] = useState<unknown>();
  const open = (id: string) => {
    setText("");
    setUnknown(undefined);
    navigate(links.person(id));
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const given = text.trim();
    if (given === "") return;
    setError(undefined);
    setUnknown(undefined);
    try {
      const { userId, isToken } = await lookUp(given);
      if (userId === undefined) setUnknown(given);
      else open(userId);
      if (userId !== undefined && isToken) toast(`This is a token of ${userId}.`);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <form className={`look-up ${isCompact ? "compact" : ""}`} onSubmit={(event) => void submit(event)}>
      <div className="row">
        <SearchField
          label={label}
          list={list}
          value={text}
          autoFocus={!isCompact}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <datalist id={list}>
          {suggestions.map(({ userId }) => (
            <option key={userId} value={userId} />
          ))}
        </datalist>
        {!isCompact && (
          <Button look="primary" type="submit">
            Look up
          </Button>
        )}
      </div>
      {!isCompact && (
        <p className="tiny dim">A token is sent in the request body. It is not stored, logged or put in the URL.</p>
      )}
      {unknown !== undefined && (
        <div className="small" role="alert">
          This looks like a token, and no user has it: apps that use it get 401.{" "}
          <button type="button" className="link" onClick={() => open(unknown)}>
            It is a user id
          </button>
        </div>
      )}
      {error !== undefined && <ErrorNote error={error} />}
    </form>
  );
}
