import { crashRun } from "../support/crash.ts";

// `make soak` makes more changes.
crashRun(40);
