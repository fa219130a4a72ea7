import { measureFolder } from "../rows.ts";

await measureFolder(import.meta.dirname, { name: "clients", title: "Benchmarks of clients and streams" });
