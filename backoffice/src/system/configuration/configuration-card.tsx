import "./configuration-card.css";
import { FileCog } from "lucide-react";
import { useState } from "react";
import { useIsAdmin } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Ago } from "../../ui/time.tsx";
import type { System } from "../system-queries.ts";
import { ReloadDialog } from "./reload-dialog.tsx";
import { yamlText } from "./yaml-text.ts";

/** The configuration as its file is written. Secrets are hidden by the service. */
export function ConfigurationCard({ configuration }: { readonly configuration: System["configuration"] }) {
  const isAdmin = useIsAdmin();
  const [isReloading, setReloading] = useState(false);
  const { file, loadedAt, document, overrides } = configuration;
  const variables = Object.entries(overrides);
  return (
    <Card
      title="Configuration"
      actions={
        isAdmin && (
          <Button isCompact isChange onClick={() => setReloading(true)}>
            <FileCog size={14} aria-hidden />
            Reload…
          </Button>
        )
      }
    >
      <p className="tiny dim configuration-file">
        <span className="mono">{file}</span>, loaded <Ago at={loadedAt} />
      </p>
      {variables.length > 0 && (
        <p className="tiny configuration-file">
          Variables apply over the file:{" "}
          <span className="mono">{variables.map(([name, value]) => `${name}=${value}`).join(" ")}</span>
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className="configuration-text mono" tabIndex={0} aria-label="Text of the configuration">
        <Secrets text={yamlText(document)} />
      </section>
      {isReloading && <ReloadDialog file={file} onClose={() => setReloading(false)} />}
    </Card>
  );
}

/** Variables and hidden secrets stand out, so that nobody takes them for values. */
const Secrets = ({ text }: { readonly text: string }) =>
  text.split(/(\$\{[^}]*\}|\*\*\*)/).map((part, index) => {
    const [, variable] = /^\$\{([^:}]*)/.exec(part) ?? [];
    if (part !== "***" && variable === undefined) return part;
    return (
      <span key={index} className="configuration-secret" title={part}>
        {variable === undefined ? "secret" : `from ${variable}`}
      </span>
    );
  });
