import { freePort } from '../../config/ports.ts'

/**
 * A port that nobody uses, and probably the next ones and `port + 100` neither. Below 32768: from there on the kernel
 * takes ports for outgoing connections, so that a free one may be gone a moment later.
 */
export const testPort = (): Promise<number> => freePort(20_000 + Math.floor(Math.random() * 12_000))
