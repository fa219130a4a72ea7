import { serve } from "@hono/node-server";
import { Hono } from "hono";

const headers = JSON.parse(process.env["HEADERS"] ?? "{}");
const body = process.env["BODY"] ?? "";
const app = new Hono().get("/features", () => new Response(body, { headers }));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"]) });
