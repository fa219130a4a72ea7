import { v7 as uuidv7 } from "uuid";
import { ManageCredentials } from "../../src/application/admin/manage-credentials.ts";
import type { DocumentStore } from "../../src/domain/admin/document-store.ts";
import { newSecret } from "../../src/infrastructure/secrets/credential-secret.ts";

/** Issues and revokes credentials in a store, as the command line does. */
export const credentialsOn = (documents: DocumentStore): ManageCredentials =>
  new ManageCredentials(documents, newSecret, uuidv7, Date.now);
