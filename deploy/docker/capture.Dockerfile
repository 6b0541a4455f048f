# Init container: leads the traffic of its network namespace through the sidecar, and ends. Needs NET_ADMIN. From the root of the repository:
#   docker build -f deploy/docker/capture.Dockerfile -t weft/capture .
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-progress && npm run --silent build:dashboard && node deploy/image/build.ts control-plane /image

FROM node:24-bookworm-slim
ENV NODE_ENV=production
RUN apt-get update && apt-get install -y --no-install-recommends iptables && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /image /app
ENV PATH=/app/control-plane/bin:$PATH
# Rules are root's to write; the sidecar runs as the user that they leave out.
USER root
ENTRYPOINT ["weft", "capture", "apply"]
CMD ["--uid", "1337"]
