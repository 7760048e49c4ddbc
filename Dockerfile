# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY . .
# The package's `prepare` also generates code, compiles and builds the dashboard.
RUN --mount=type=cache,target=/root/.npm npm ci
RUN npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    BLADE_DATA_FOLDER=/data
WORKDIR /app
RUN install --directory --owner=node --group=node /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/demo ./demo
COPY --from=build /app/dist ./dist
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Handles SIGTERM itself, and waits for the processes that it starts, so it can run as the first process.
ENTRYPOINT ["node", "dist/blade-ingestion.js"]
