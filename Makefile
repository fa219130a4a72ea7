export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# What was compiled once starts in half the time.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/compiled
.DEFAULT_GOAL := help
# What the chart is checked for. Schemas can also be files.
KUBERNETES ?= 1.33.0
KUBERNETES_SCHEMAS ?= default
CRD_SCHEMAS ?= https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json
# Everything that the built page depends on.
page_sources := $(shell find backoffice/src -type f 2> /dev/null) $(wildcard backoffice/*.html backoffice/*.ts) \
  src/domain/evaluation/feature.ts
.PHONY: help run dev test soak check lint-deploy bench bench-quick bench-changes bench-sources bench-commands bench-usage bench-clients
.PHONY: backoffice screenshots docs site demo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: node_modules backoffice/dist ## set up and serve, until Ctrl-C
	@node src/main.ts

dev: node_modules backoffice/dist ## serve, and start again when a file changes
	@node --watch src/main.ts

test: node_modules backoffice/dist ## set up and run all tests, on a real Redis
	@vitest run --project all

soak: node_modules site/node_modules backoffice/dist ## test for minutes under faults, kills and load (ONLY=chaos CHAOS_SECONDS=600)
	@vitest run --project soak $(ONLY)

check: node_modules site/node_modules backoffice/node_modules ## check types, format, lint, unused code, the OpenAPI document and links
	@tsc --project .
	@tsc --project backoffice
	@biome ci --colors=off
	@knip
	@knip --directory backoffice
	@mkdir -p node_modules/.cache && node scripts/openapi.ts > node_modules/.cache/openapi.json
	@REDOCLY_SUPPRESS_UPDATE_NOTICE=true site/node_modules/.bin/redocly lint node_modules/.cache/openapi.json \
	  --config site/redocly.yaml 2> /dev/null
	@site/node_modules/.bin/remark . --rc-path site/remark.mjs --ignore-path .gitignore --frail --quiet

# The versions that were used here are in .github/workflows/ci.yml.
lint-deploy: ## lint the files for deployment, with the linters of the field installed
	@hadolint Dockerfile
	@actionlint
	@systemd-analyze verify deploy/systemd/tidegate.service
	@helm lint --strict deploy/chart --kube-version $(KUBERNETES) --values deploy/chart/ci/lint-values.yaml
	@helm template tidegate deploy/chart --kube-version $(KUBERNETES) --values deploy/chart/ci/lint-values.yaml | \
	  kubeconform -strict -summary -kubernetes-version $(KUBERNETES) -schema-location '$(KUBERNETES_SCHEMAS)' \
	  -schema-location '$(CRD_SCHEMAS)'

bench: node_modules bench/node_modules ## measure beside other servers, in under 25 minutes; writes docs/benchmarks/index.md
	@node bench/run.ts

bench-quick: node_modules bench/node_modules ## the same in some minutes, with large errors; prints and writes no page
	@QUICK=1 ROUNDS=2 SECONDS=1 TRIALS=500 RUNS=3 FLAT_USERS=1000,100000 IMPORT_USERS=50000 node bench/run.ts

bench-changes: node_modules bench/node_modules ## measure changes and the event log, in some minutes; writes docs/benchmarks/changes.md
	@node bench/changes/run.ts

bench-sources: node_modules bench/node_modules ## measure kinds of source, in some minutes; writes docs/benchmarks/sources.md (ONLY=geoip)
	@node bench/sources/run.ts

bench-commands: node_modules ## measure the command line, in a minute; writes docs/benchmarks/commands.md
	@node bench/commands/run.ts

bench-clients: node_modules ## measure OFREP and event streams, in some minutes; writes docs/benchmarks/clients.md (ONLY=rates)
	@node bench/clients/run.ts

bench-usage: node_modules ## measure the cost of usage counts, in a minute; writes docs/benchmarks/usage.md
	@node bench/usage/run.ts

backoffice: backoffice/dist ## build the page for operators, if its sources changed

screenshots: node_modules backoffice/dist ## take pictures of the page with demo data into backoffice/screenshots (ONLY=features)
	@node scripts/backoffice-screenshots.ts

docs: node_modules ## write the generated pages and the configuration's JSON Schema anew
	@node docs/generate.ts

site: node_modules site/node_modules ## build the documentation site into site/dist
	@site/node_modules/.bin/vitepress build site

demo: node_modules backoffice/dist ## serve the backoffice page of a shop with invented data, until Ctrl-C
	@node scripts/demo.ts

clean: ## remove what was installed; the data in ./data stay
	rm -rf node_modules bench/node_modules site/node_modules backoffice/node_modules backoffice/dist

node_modules: package.json package-lock.json
	@command -v npm > /dev/null || { echo "npm is missing; install Node.js 20 or newer, as from https://nodejs.org" >&2; exit 1; }
	@npm ci
	@touch node_modules

# Without these, what needs them is skipped.
bench/node_modules: bench/package.json bench/package-lock.json
	@npm ci --prefix bench --ignore-scripts --loglevel=error && touch $@ \
	  || echo "*** the packages in bench/package.json could not be installed ***" >&2

site/node_modules: site/package.json site/package-lock.json
	@npm ci --prefix site --ignore-scripts --loglevel=error
	@touch $@

backoffice/node_modules: backoffice/package.json backoffice/package-lock.json
	@npm ci --prefix backoffice --ignore-scripts --loglevel=error && touch $@ \
	  || echo "*** the packages in backoffice/package.json could not be installed ***" >&2

# The service runs without the page, so a failure is printed and does not stop the target that needs it.
backoffice/dist: node_modules backoffice/node_modules $(page_sources)
	@node backoffice/node_modules/vite/bin/vite.js build backoffice --logLevel warn && touch $@ \
	  || echo "*** the backoffice page is not built; everything else works ***" >&2
