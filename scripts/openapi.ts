import { openApiDocument } from "../docs/generate.ts";

/** Prints the OpenAPI document of a service with all routes, for checks by other tools. */
console.log(JSON.stringify(await openApiDocument(), null, 2));
