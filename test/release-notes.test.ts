import { describe, expect, it } from "vitest";
import { releaseNotes } from "../scripts/release-notes.ts";

const changelog = `# Changelog

All notable changes.

## [Unreleased]

### Added

- Next.

## [0.2.0] - 2026-12-01

### Added

- One.

### Fixed

- Two.

## [0.1.0] - 2026-11-29

- First.

## [0.0.1] - 2026-11-01
`;

describe("the notes of a release", () => {
  it("are the section of its version in the changelog, without the heading", () => {
    expect(releaseNotes(changelog, "0.2.0")).toBe("### Added\n\n- One.\n\n### Fixed\n\n- Two.\n");
    expect(releaseNotes(changelog, "0.1.0")).toBe("- First.\n");
  });

  it.each(["0.3.0", "0.1", "", "0.0.1"])("fail if version %j has no section, or an empty one", (version) => {
    expect(() => releaseNotes(changelog, version)).toThrow(`CHANGELOG.md has no text for version ${version}`);
  });
});
