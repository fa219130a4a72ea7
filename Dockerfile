# syntax=docker/dockerfile:1
# Build on the machine's own platform: the result contains no native code, so one build serves amd64 and arm64.
FROM --platform=$BUILDPLATFORM node:26-trixie-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY backoffice/package.json backoffice/package-lock.json backoffice/
RUN npm ci --prefix backoffice --ignore-scripts
COPY . .
# What the package bundles comes from dist. The data folder must exist with its owner, because the last image has no
# shell that could create it.
# hadolint ignore=SC2046
RUN npm run build \
  && npm ci --omit=dev --omit=optional \
  && npm uninstall --no-save --omit=dev --omit=optional \
    $(node --print 'require("./dist/package.json").bundleDependencies.join(" ")') \
  && mkdir data

FROM gcr.io/distroless/nodejs26-debian13:nonroot
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist ./
COPY --from=build --chown=65532:65532 --chmod=700 /build/data /data
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=5000 \
    TIDEGATE_DATA=/data
USER 65532:65532
EXPOSE 5000
VOLUME /data
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/tidegate.cjs"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/bin/tidegate.cjs", "health"]
CMD ["serve"]
