import { crashRun } from "../support/crash.ts";

crashRun(Number(process.env["CRASH_CHANGES"] ?? 400));
