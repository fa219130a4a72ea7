import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { ContextField } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import { changingRules } from "../_rules/changing-rules.ts";
import type { UnleashRules } from "./unleash-rules.ts";
import type { UnleashServer } from "./unleash-server.ts";

/** Resolver of an Unleash source. Gives access to its document and its server, for clients that evaluate themselves. */
export class UnleashResolver implements FeatureResolver {
  readonly varyBy: readonly ContextField[];
  readonly resolve: FeatureResolver["resolve"];
  /** The last valid document, as it was read. Throws before there is one. */
  readonly document: () => CachedRead<Pick<UnleashRules, "text">>;
  /** `undefined` if the document is a file. */
  readonly server: UnleashServer | undefined;

  constructor(read: () => CachedRead<UnleashRules>, readsAddress: boolean, server?: UnleashServer) {
    const others = ["claimedUserId", ...(readsAddress ? (["ip"] as const) : [])] as const;
    const { varyBy, resolve } = changingRules(read, (rules) => rules, others);
    this.varyBy = varyBy;
    this.resolve = resolve;
    this.document = read;
    this.server = server;
  }

  dispose(): void {
    this.server?.[Symbol.dispose]();
  }
}
