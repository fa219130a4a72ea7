import { z } from "zod";
import type { SchemaTools } from "../../adapters/sources/_catalogue/source.ts";
import { credentialsCollection } from "../../application/admin/stored-credential.ts";
import { catalogueCollection, coverageCollection } from "../../application/events/change-event.ts";
import { feedsCollection } from "../../application/feeds/items-record.ts";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { eventLogConnection } from "./event-log-connection.ts";

/** The schemas of options that name a collection. */
const collectionSchemas = z.registry<{ readonly isCollection: true }>();

/** The collections of Tidegate's own documents. */
export const ownCollections = [catalogueCollection, coverageCollection, credentialsCollection, feedsCollection];

/** Schema tools for the options of a kind: for the connections of one configuration, or, for the docs, of any. */
export function schemaTools(connections: readonly string[] | undefined): SchemaTools {
  return {
    z,
    connection: z.string().refine((name) => !connections || connections.includes(name), {
      error: ({ input }) => noConnection(String(input), connections ?? []),
    }),
    keyTemplate: z.string().transform((text, context) => {
      const template = KeyTemplate.parse(text);
      if (template instanceof KeyTemplate) return template;
      context.addIssue(template);
      return z.NEVER;
    }),
    collection: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, "invalid collection (expected up to 64 of a-z 0-9 -, starting with a letter)")
      .refine((name) => !ownCollections.includes(name), "reserved collection (choose another name)")
      .register(collectionSchemas, { isCollection: true }),
  };
}

/** Whether an option names a collection, also if the kind gave it a description or made it optional. */
export function isCollection(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false;
  if (collectionSchemas.get(schema)) return true;
  const isWrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return isWrapped && isCollection(schema.unwrap());
}

export function noConnection(name: string, connections: readonly string[]): string {
  const fix = connections.length > 0 ? `expected one of ${connections.join(", ")}` : "declare it under connections";
  if (name === eventLogConnection) return `"${name}" is the connection of the event log (${fix})`;
  return `unknown connection "${name}" (${fix})`;
}
