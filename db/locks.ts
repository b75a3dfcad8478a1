/** Postgres advisory locks that all processes of a home share. One number each: two that share one wait for each other. */
export const LOCKS = {
  /** Counting held leases and granting one must not interleave, nor a pause with either. */
  pool: 724033,
  /** Counting what is left of budgets and setting a part of it aside must not interleave. */
  budgets: 724034,
  /** Held, shared, by each worker for as long as it lives. */
  worker: 724035,
  /** The first half of a lock whose second tells the home; held, shared, by each worker beside the one above. */
  home: 724038,
  /** One process brings the schema up to date. */
  migrations: 724036,
  /** The seed of the hash that a request's key is locked by. */
  idempotency: 724037,
} as const
