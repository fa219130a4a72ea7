import { jsonContent } from "../kit/json-content.ts";
import { UnleashError } from "./unleash-schemas.ts";

/** OpenAPI responses for errors with these statuses. */
export const unleashErrors = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { description: "An error.", content: jsonContent(UnleashError) }]),
  );
