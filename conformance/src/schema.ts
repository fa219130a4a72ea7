import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

/**
 * The response schemas of OFREP 0.3.0 (open-feature/protocol, service/openapi.yaml), with its defects patched:
 *
 * - `value` is any JSON value. The published schema demands exactly one match of six shapes, one of which matches
 *   everything, so it rejects its own examples.
 * - `reason` also allows DEFAULT, which ADR 0006 of the protocol and OpenFeature use.
 * - The error codes of a bulk item and of a single failure also allow FLAG_NOT_FOUND, which an example of the bulk
 *   response uses, and TYPE_MISMATCH and PROVIDER_NOT_READY of OpenFeature.
 * - `metadata` and a `value` of null have checks of their own, so that one defect has one report.
 */
const key = { type: "string", minLength: 1 };
const errorCode = {
  enum: [
    "PARSE_ERROR",
    "TARGETING_KEY_MISSING",
    "INVALID_CONTEXT",
    "GENERAL",
    "FLAG_NOT_FOUND",
    "TYPE_MISMATCH",
    "PROVIDER_NOT_READY",
  ],
};
const success = {
  type: "object",
  required: ["key", "reason"],
  not: { required: ["errorCode"] },
  properties: {
    key,
    reason: { enum: ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN", "DEFAULT"] },
    variant: { type: "string" },
  },
};
const failure = {
  type: "object",
  required: ["key", "errorCode"],
  properties: { key, errorCode, errorDetails: { type: "string" } },
};
const bulk = {
  type: "object",
  required: ["flags"],
  properties: { flags: { type: "array", items: { anyOf: [success, failure] } } },
};
const bulkFailure = {
  type: "object",
  required: ["errorCode"],
  properties: { errorCode, errorDetails: { type: "string" } },
};
const metadata = { type: "object", additionalProperties: { type: ["boolean", "string", "number"] } };
const eventStream = {
  type: "object",
  required: ["type"],
  oneOf: [
    { required: ["url"], not: { required: ["endpoint"] } },
    { required: ["endpoint"], not: { required: ["url"] } },
  ],
  properties: {
    type: { type: "string" },
    url: { type: "string", pattern: "^[a-z]+://" },
    endpoint: {
      type: "object",
      required: ["requestUri"],
      properties: { origin: { type: "string", pattern: "^[a-z]+://" }, requestUri: { type: "string", pattern: "^/" } },
    },
    inactivityDelaySec: { type: "integer", minimum: 1 },
  },
};

const ajv = new Ajv({ allowUnionTypes: true, strictRequired: false });

/** Validators of responses. */
export const schemas = {
  success: ajv.compile(success),
  failure: ajv.compile(failure),
  bulk: ajv.compile(bulk),
  bulkFailure: ajv.compile(bulkFailure),
  metadata: ajv.compile(metadata),
  eventStream: ajv.compile(eventStream),
};

/** The first fault of a value; `undefined` if it matches. */
export function faultIn(validate: ValidateFunction, value: unknown): string | undefined {
  if (validate(value)) return undefined;
  const [first] = validate.errors as [ErrorObject, ...ErrorObject[]];
  return `${first.instancePath || "the body"} ${first.message}`;
}
