import "../ui/field.css";
import { type FormEvent, useId, useState } from "react";
import { lookUp } from "../people/look-up.ts";
import { links } from "../routing/links.ts";
import { navigate } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/** Leads to the reasons for one person. */
export function WhoHasIt({ feature }: { readonly feature: string }) {
  const id = useId();
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    try {
      const given = text.trim();
      const userId = given === "" ? undefined : (await lookUp(given)).userId;
      if (given !== "" && userId === undefined) setError(new Error("No user has this token."));
      else navigate(links.person(userId, { f: feature }));
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Card title="Who has it?">
      <form className="field" onSubmit={(event) => void submit(event)}>
        <label htmlFor={id}>
          <span className="dim">Look up one person to see whether they have it, and why.</span>
        </label>
        <div className="row">
          <input
            id={id}
            className="input"
            placeholder="User id or token"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          <Button type="submit">Explain</Button>
        </div>
        {error !== undefined && <ErrorNote error={error} />}
      </form>
    </Card>
  );
}
