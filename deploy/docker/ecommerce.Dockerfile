# The three services of the example; which one, the command says (node src/order/main.js). Build from the root of the repository:
#   docker build -f deploy/docker/ecommerce.Dockerfile -t weft/ecommerce .
# What the image holds is the folder that `deploy/image/build.ts ecommerce` makes: JavaScript and production dependencies.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-progress && npm run --silent build:dashboard && node deploy/image/build.ts ecommerce /image

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /image /app
RUN mkdir /state && chown node:node /state
USER node
WORKDIR /app/examples/ecommerce
