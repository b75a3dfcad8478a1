# Dispatch as one image: the API with the UI, the worker, the service that starts runs, and the job that prepares Temporal.
# Which of them a container is, its command says (docker-compose.yml).

FROM node:22.21.1-bookworm-slim AS packages
WORKDIR /opt/dispatch
COPY package.json package-lock.json .npmrc ./
COPY scripts/not-installed scripts/not-installed
# without the embedded Postgres: a server brings its own
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM packages AS build
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs

FROM node:22.21.1-bookworm-slim
# git of Debian 12 is what Dispatch is tested with; its security updates must not wait for a new pin here
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
# The agents' own programs; several, with exact versions, by --build-arg AGENTS="…".
ARG AGENTS="@anthropic-ai/claude-code@2.1.329"
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3016,SC2086
RUN if [ -n "$AGENTS" ]; then npm install --global --no-fund --no-audit $AGENTS && npm cache clean --force; fi

# Whoever owns the repositories on the host: Dispatch works in them as this user.
ARG UID=1000
RUN if [ "$UID" != 1000 ]; then usermod --uid "$UID" node && chown -R node /home/node; fi \
  && install -d -o node -g node -m 700 /var/lib/dispatch

WORKDIR /opt/dispatch
COPY package.json ./
COPY --from=packages /opt/dispatch/node_modules node_modules
COPY --from=build /opt/dispatch/dist dist
RUN ln -s /opt/dispatch/dist/cli.cjs /usr/local/bin/dispatch

ENV NODE_ENV=production DISPATCH_HOME=/var/lib/dispatch DISPATCH_LOG_TO=stdout
USER $UID
EXPOSE 4400
# of the API, which is what the image is without a command; the other services have their own
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4400/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api.js"]
