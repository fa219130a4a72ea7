import { reportFailure } from "./adapters/cli/report-failure.ts";
import { defaultFile } from "./bootstrap/config/default-file.ts";
import { allocateYoung } from "./bootstrap/runtime/allocate-young.ts";
import { growHeapSlowly } from "./bootstrap/runtime/heap-growth.ts";
import { loadDotEnv } from "./bootstrap/runtime/load-dot-env.ts";
import { serve } from "./bootstrap/runtime/serve.ts";

try {
  allocateYoung();
  growHeapSlowly();
  loadDotEnv(process.env);
  await serve(defaultFile(process.env), process.env);
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr);
}
