import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { packageRoot } from '../../config/home.ts'

/** What a container of a service is started with, as the compose file says it. */
export interface ComposeService {
  image: string
  entrypoint: string[]
  command: string[]
  environment: Record<string, string>
  secrets: string[]
  /** `from:to[:ro]`, a named volume or a path of the host first. */
  volumes: string[]
  ports: string[]
  networks: string[]
  pid: string | undefined
  /** The command of the health check, without CMD; undefined when there is none or it is a shell's. */
  healthcheck: string[] | undefined
}

export const COMPOSE_FILE = join(packageRoot(), 'docker-compose.yml')

/** Services of docker-compose.yml by name, with `variables` filled in as `docker compose` does. */
export function readCompose(
  variables: Record<string, string> = {},
): Record<string, ComposeService> {
  const text = readFileSync(COMPOSE_FILE, 'utf8')
  const { services } = parse(text, { merge: true }) as { services: Record<string, RawService> }
  return Object.fromEntries(
    Object.entries(services).map(([name, raw]) => [name, toService(interpolated(raw, variables))]),
  )
}

interface RawService {
  image: string
  entrypoint?: string[]
  command?: string[]
  environment?: Record<string, string | number>
  secrets?: string[]
  volumes?: string[]
  ports?: string[]
  networks?: string[]
  pid?: string
  healthcheck?: { test?: string[] }
}

function toService(raw: RawService): ComposeService {
  const [kind, ...check] = raw.healthcheck?.test ?? []
  return {
    image: raw.image,
    entrypoint: raw.entrypoint ?? [],
    command: raw.command ?? [],
    environment: Object.fromEntries(
      Object.entries(raw.environment ?? {}).map(([key, value]) => [key, String(value)]),
    ),
    secrets: raw.secrets ?? [],
    volumes: raw.volumes ?? [],
    ports: raw.ports ?? [],
    networks: raw.networks ?? [],
    pid: raw.pid,
    healthcheck: kind === 'CMD' ? check : undefined,
  }
}

/** `${NAME:-default}` and `$$` in every string (https://docs.docker.com/reference/compose-file/interpolation/). */
function interpolated<T>(value: T, variables: Record<string, string>): T {
  if (typeof value === 'string')
    return value.replace(/\$\$|\$\{(\w+)(?::-([^}]*))?\}/g, (whole, name, otherwise) =>
      whole === '$$' ? '$' : variables[name] || otherwise || '',
    ) as T
  if (Array.isArray(value)) return value.map((item) => interpolated(item, variables)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, interpolated(inner, variables)]),
  ) as T
}
