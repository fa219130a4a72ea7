import { SetupFailed } from "../setup-failed.ts";

/** The data folder or a file in it is unusable until an operator fixes it. The message states the file and the fix. */
export class DataFolderError extends SetupFailed {}
