import type { z } from "zod";

/** OpenAPI content of a JSON body with a schema. */
export const jsonContent = <Schema extends z.ZodType>(schema: Schema) => ({ "application/json": { schema } });
