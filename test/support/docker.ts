import { getContainerRuntimeClient } from "testcontainers";

/** Whether Docker can start containers here. */
export async function dockerRuns(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}
