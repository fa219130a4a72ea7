import { rulesCrashRuns } from "../support/rules-crash.ts";

// `make soak` makes more changes, and kills more often.
rulesCrashRuns({ lives: 1, changesOfEach: 20 });
