/** Postgres, the network, or a table of the system that is full. Codes of libpq, SQLSTATE and Node. */
const CODES =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT|EAGAIN|EMFILE|ENFILE|ENOMEM|08\w{3}|25P03|57P0[123]|53\w{3}|40001|40P01|57014)$/
const TEXT =
  /Connection terminated|connection is closed|connection error and is not queryable|Timeout acquiring a connection|the database system is|server closed the connection/i

/** Whether it gets better by itself, as the services that are away come back. */
export function isPassing(error: unknown): boolean {
  const { code, message, syscall } = error as Partial<
    Record<'code' | 'message' | 'syscall', unknown>
  >
  return (
    (typeof code === 'string' && CODES.test(code)) ||
    // Postgres takes its socket away as it ends; any other missing file stays missing
    (code === 'ENOENT' && syscall === 'connect') ||
    (typeof message === 'string' && TEXT.test(message))
  )
}
