import { settingsCrashRuns } from "../support/settings-crash.ts";

// `make soak` makes more changes, and kills more often.
settingsCrashRuns({ lives: 1, changesOfEach: 20 });
