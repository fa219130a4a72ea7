import { type Command, Option } from "commander";
import { type Scope, scopes } from "../../../domain/admin/credential.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";

/** `tidegate credentials`: adds, lists and revokes operator credentials, and makes sign-in links. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  withJson(command.command("add"), { name: "anna", scope: "editor", email: null, secret: "tgc_..." })
    .description("add a credential, and print its secret, which is not shown again")
    .argument("<name>", "name of the operator; changes are recorded under it")
    .addOption(new Option("--scope <SCOPE>", "rights of the credential").choices(scopes).makeOptionMandatory())
    .option("--email <ADDRESS>", "email address of the operator")
    .action((name: string, { scope, email }: { scope: Scope; email?: string }) =>
      onStores(async ({ manageCredentials }) => {
        const secret = await manageCredentials.add(name, scope, email, cliAuthor(terminal));
        results.print({ name, scope, email: email ?? null, secret }, secret);
      }),
    );
  withJsonLines(command.command("list"), {
    name: "anna",
    scope: "editor",
    email: null,
    since: "2026-11-17T09:00:00.000Z",
  })
    .description("print the name, scope, email address and creation time of each credential")
    .action(() =>
      onStores(async ({ manageCredentials }) => {
        const all = await manageCredentials.list();
        results.printRows(
          undefined,
          all.map(({ name, scope, email, since }) => ({
            json: { name, scope, email: email ?? null, since },
            cells: [name, scope, email ?? "-", since],
          })),
        );
      }),
    );
  withJson(command.command("revoke"), { name: "anna", revoked: true })
    .description("revoke a credential; every instance rejects it within a second")
    .argument("<name>")
    .action((name: string) =>
      onStores(async ({ manageCredentials }) => {
        await manageCredentials.revoke(name, cliAuthor(terminal));
        results.print({ name, revoked: true }, `${name}: revoked`);
      }),
    );
  withJson(command.command("link"), { link: "http://localhost:5000/backoffice/#link=..." })
    .description("print a link that signs in to the backoffice once, within 15 minutes, with the first credential")
    .option("--url <URL>", "base URL of the service (default: where HOST, PORT and the configuration put it)")
    .action(({ url }: { url?: string }) =>
      onStores(async ({ signInLink, serviceUrl }) => {
        const text = await signInLink();
        if (text === undefined) {
          throw new ChangeRejected(
            "There is no first credential, or no store. Set TIDEGATE_ADMIN_TOKEN as for the service, and declare a store under `connections`.",
          );
        }
        if (url === undefined && !(await isServing(serviceUrl))) {
          terminal.note(`no service answers at ${serviceUrl}; set PORT and HOST as for the service, or pass --url`);
        }
        const link = `${(url ?? serviceUrl).replace(/\/$/, "")}/backoffice/#link=${text}`;
        results.print({ link }, link);
      }),
    );
}

/** Whether a service responds at a URL, within a second. */
const isServing = (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
