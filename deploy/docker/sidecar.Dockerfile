# The sidecar. Build from the root of the repository:
#   docker build -f deploy/docker/sidecar.Dockerfile -t weft/sidecar .
# What the image holds is the folder that `deploy/image/build.ts sidecar` makes: JavaScript and production dependencies.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-progress && npm run --silent build:dashboard && node deploy/image/build.ts sidecar /image

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /image /app
USER node
# Why 4 MiB: control-plane/src/cli/up/sidecar.ts.
CMD ["node", "--max-semi-space-size=4", "--expose-gc", "sidecar/src/main.js"]
