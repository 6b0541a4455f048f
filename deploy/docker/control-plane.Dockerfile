# The control plane, and the weft command (docker run … weft --help). Build from the root of the repository:
#   docker build -f deploy/docker/control-plane.Dockerfile -t weft/control-plane .
# What the image holds is the folder that `deploy/image/build.ts control-plane` makes: JavaScript and production dependencies.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-progress && npm run --silent build:dashboard && node deploy/image/build.ts control-plane /image

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /image /app
RUN mkdir /state /tls /tokens && chown node:node /state /tls /tokens
USER node
ENV PATH=/app/control-plane/bin:$PATH
CMD ["node", "control-plane/src/main.js"]
