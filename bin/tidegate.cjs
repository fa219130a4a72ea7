#!/usr/bin/env node
// CommonJS that every Node.js version parses, so that an old one gets a message and not a stack trace.
"use strict";

// Exit code of an invalid configuration (EX_CONFIG).
const configExit = 78;
const [major, minor] = process.versions.node.split(".").map(Number);

if ((major === 24 && minor >= 12) || major >= 26) {
  enableCompileCache();
  // `#cli` is the TypeScript file in a clone, and the built file in the package.
  void import("#cli");
} else {
  const needed = require("../package.json").engines.node;
  console.error(
    `tidegate: Node.js ${process.versions.node} is not supported (needs ${needed}); install one from https://nodejs.org/en/download`,
  );
  process.exitCode = configExit;
}

/** Without a cache, each command compiles all that it loads anew: 2 s instead of 0.3 s in a clone. */
function enableCompileCache() {
  const folder = compileCache();
  try {
    makeFolder(folder);
  } catch {
    return;
  }
  require("node:module").enableCompileCache(folder);
}

/** Creates a folder level by level, because Node's recursive `mkdir` never returns below /proc. */
function makeFolder(folder) {
  const { existsSync, mkdirSync } = require("node:fs");
  if (existsSync(folder)) return;
  makeFolder(require("node:path").dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** In a clone, beside its packages. An installed package may belong to another user, so the cache is the user's own. */
function compileCache() {
  const { join, isAbsolute } = require("node:path");
  if (require.resolve("#cli").endsWith(".ts")) return join(__dirname, "../node_modules/.cache/compiled");
  const { XDG_CACHE_HOME = "", LOCALAPPDATA = "", HOME } = process.env;
  const parent =
    [XDG_CACHE_HOME, LOCALAPPDATA].find(isAbsolute) || join(HOME || require("node:os").homedir(), ".cache");
  return join(parent, "tidegate");
}
