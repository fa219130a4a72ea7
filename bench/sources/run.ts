import { measureFolder } from "../rows.ts";

await measureFolder(import.meta.dirname, { name: "sources", title: "Benchmarks of sources" });
