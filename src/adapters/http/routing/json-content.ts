import type { z } from "zod";

/** OpenAPI content of a JSON body with a schema. */
export const jsonContent = <Schema extends z.ZodType>(schema: Schema) => ({ "application/json": { schema } });

/** Response headers by name, in OpenAPI. */
type Headers = Record<string, { description: string; schema: { type: "string" } }>;

/** OpenAPI response with a JSON body. */
export const jsonResponse = <Schema extends z.ZodType>(description: string, schema: Schema, headers?: Headers) => ({
  description,
  ...(headers && { headers }),
  content: jsonContent(schema),
});
