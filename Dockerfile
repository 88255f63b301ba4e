# Node 26 is the newest release with long-term support (since October 2026).
ARG NODE_IMAGE=node:26-trixie-slim

# All dependencies, the generated client, the compiled program. Nothing of this stage is in the image.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Optional dependencies are needed here: compilers ship their binaries as such.
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY scripts ./scripts
COPY prisma ./prisma
COPY src ./src
RUN npm run build

# The dependencies of the running program. The embedded PostgreSQL is optional and stays out.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Diptych" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    LOG_FORMAT=json
WORKDIR /app
COPY package.json LICENSE ./
COPY prisma ./prisma
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The files belong to root, so the program cannot change itself.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would not pass the signals on.
CMD ["node", "--enable-source-maps", "dist/main.js"]
